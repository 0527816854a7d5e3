"""Who asks in the embedded workload: applications, each with its system prompt, its tools, its caps and its efforts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from registry.request import Conversation

Effort = str | bool | None
"""A reasoning effort, the thinking switch, or neither."""

TOOLS = {
    "find_article": ("Finds the article on a topic and returns it.", 0.3),
    "save_report": ("Saves a report. Its whole body is an argument of the call.", 1.8),
    "run_program": ("Runs a program and returns what it prints.", 1.2),
}
"""Function that may be called -> what it is for, and what offering it does to the length of an answer: to look a thing
up takes one short call, while what is to be saved stands in the call itself."""

FORM = {
    "type": "json_schema",
    "json_schema": {
        "name": "form",
        "schema": {
            "type": "object",
            "properties": {"answer": {"type": "string"}},
            "required": ["answer"],
            "additionalProperties": False,
        },
    },
}
"""The `response_format` of an answer that must be JSON."""


@dataclass(frozen=True, kw_only=True)
class Application:
    """What all requests of one application have in common, and between what they differ."""

    share: float
    """Of the traffic."""
    system: str = ""
    """Its system prompt; empty where there is none."""
    factor: float = 1.0
    """What the application does to the length of an answer."""
    tools: tuple[str, ...] = ()
    is_json: bool = False
    efforts: tuple[Effort, ...] = (None,)
    """One of them is drawn for a request."""
    caps: tuple[int | None, ...] = (None,)
    """One of them is drawn for a request: its `max_tokens`."""

    def messages(self, text: str) -> Conversation:
        """The chat in which a user asks for something."""
        system = [{"role": "system", "content": self.system}] if self.system else []
        return [*system, {"role": "user", "content": text}]

    def params(self, effort: Effort, cap: int | None) -> Mapping[str, Any]:
        """What a request says beside its messages, by the names of the API."""
        return {
            **({"tools": [_schema(name) for name in self.tools]} if self.tools else {}),
            **({"response_format": FORM} if self.is_json else {}),
            **({"chat_template_kwargs": {"enable_thinking": effort}} if isinstance(effort, bool) else {}),
            **({"reasoning_effort": effort} if isinstance(effort, str) else {}),
            **({"max_tokens": cap} if cap else {}),
        }


AGENT = "You are an agent. Use a tool where one helps, and say what you did."
"""Two applications share it, so that only their tools tell them apart."""

APPLICATIONS = (
    Application(share=0.28, efforts=(None, None, "low", "high")),
    Application(
        share=0.12,
        system="You are the help desk of a furniture shop. Be friendly, and come to the point.",
        factor=0.5,
        efforts=(None, False),
        caps=(None, 40),
    ),
    Application(
        share=0.12,
        system="You teach a class of beginners. Show how you arrive at what you say.",
        factor=1.8,
        efforts=("low", "medium", "high"),
    ),
    Application(
        share=0.1,
        system="You write for a magazine that people read on trains.",
        factor=1.4,
        caps=(None, 160),
        efforts=(None, True),
    ),
    Application(share=0.1, system=AGENT, tools=("find_article",), efforts=("none", "medium", "high")),
    Application(share=0.1, system=AGENT, tools=("save_report",), efforts=("none", "medium", "high")),
    Application(share=0.08, system="You review what others wrote.", tools=("run_program",), efforts=(True, False)),
    Application(
        share=0.1, system="You fill in the form of an archive.", is_json=True, efforts=(None, "low"), caps=(None, 60)
    ),
)
"""All of them; their shares add up to 1."""


def _schema(name: str) -> Mapping[str, Any]:
    about = {"type": "object", "properties": {"about": {"type": "string"}}, "required": ["about"]}
    return {"type": "function", "function": {"name": name, "description": TOOLS[name][0], "parameters": about}}
