"""What a request asks for beside its text: the fields of every API that say the same, as one number each. Pure."""

from collections.abc import Callable, Iterable, Mapping
from math import log1p
from typing import NamedTuple, Self, TypeVar

from registry.features.fields import Params, Paths, found, number, paths, size, switch, word

Value = TypeVar("Value")
Read = Callable[[Params], float | None]

CAPS = paths("max_completion_tokens", "max_output_tokens", "max_tokens")
EFFORTS = {"none": 0.0, "minimal": 1.0, "low": 2.0, "medium": 3.0, "high": 4.0, "xhigh": 5.0, "max": 6.0}
EFFORT = paths("reasoning_effort", "reasoning.effort", "output_config.effort", "chat_template_kwargs.reasoning_effort")
VERBOSITY = paths("verbosity", "text.verbosity")
TEMPERATURE, TOOLS = paths("temperature"), paths("tools")
THINKING = paths(
    *("chat_template_kwargs.enable_thinking", "chat_template_kwargs.thinking", "chat_template_kwargs.thinking.type"),
    *("thinking", "thinking.type", "enable_thinking", "reasoning.enabled"),
)
BUDGET = paths(
    *("chat_template_kwargs.thinking_budget", "chat_template_kwargs.reasoning_budget"),
    *("thinking.budget_tokens", "chat_template_kwargs.thinking.budget_tokens", "reasoning.max_tokens"),
    *("thinking_budget", "thinking_token_budget"),
)
CHOICES = {"none": 0.0, "auto": 1.0, "required": 2.0, "any": 2.0, "function": 3.0, "tool": 3.0, "custom": 3.0}
"""How far the request is told to call a tool: not at all, as it likes, some tool, this tool."""
FORMATS = {"text": 0.0, "json_object": 1.0, "json_schema": 2.0, "structural_tag": 2.0}
"""How tightly the answer is bound to a form."""
FORMAT = paths("response_format.type", "text.format.type")
SCHEMAS = paths(
    *("response_format.json_schema", "text.format.schema", "text.format.json_schema"),
    *("guided_json", "guided_grammar", "structured_outputs.json", "structured_outputs.grammar"),
)
CHOSEN = paths("guided_regex", "guided_choice", "structured_outputs.regex", "structured_outputs.choice")
"""These leave the least open."""
CHOSEN_FORMAT = 3.0


def _first_number(ways: Paths) -> Read:
    return lambda params: _first(map(number, found(params, ways)))


def _first_word(scale: Mapping[str, float], ways: Paths) -> Read:
    return lambda params: _first(word(value, scale) for value in found(params, ways))


def _log(read: Read) -> Read:
    def read_log(params: Params) -> float | None:
        amount = read(params)
        return None if amount is None else log1p(amount)

    return read_log


def _tools(params: Params) -> float | None:
    """How many there are; where somebody has kept no more of them than their number, that."""
    tools = params.get("tools")
    if tools is None:
        return 0.0
    return float(len(tools)) if isinstance(tools, list | tuple) else number(tools)


def _tool_characters(params: Params) -> float | None:
    tools = params.get("tools")
    if tools is None:
        return 0.0
    return size(tools) if isinstance(tools, list | tuple) else None


def _tool_choice(params: Params) -> float | None:
    choice = params.get("tool_choice")
    if choice is None:
        return CHOICES["auto"] if _tools(params) else CHOICES["none"]
    if not isinstance(choice, Mapping):
        return word(choice, CHOICES)
    kind = choice.get("mode") if "mode" in choice else choice.get("type", "function")
    return word(kind, CHOICES)


def _answer_format(params: Params) -> float | None:
    if _first(found(params, CHOSEN)) is not None:
        return CHOSEN_FORMAT
    kind = _first(found(params, FORMAT))
    if kind is not None:
        return word(kind, FORMATS)
    return FORMATS["text"] if _first(found(params, SCHEMAS)) is None else FORMATS["json_schema"]


def _schema_characters(params: Params) -> float:
    schema = _first(found(params, SCHEMAS))
    return 0.0 if schema is None else size(schema)


def _thinking(params: Params) -> float | None:
    return _first(map(switch, found(params, THINKING)))


def _answers(params: Params) -> float | None:
    return number(params.get("n", 1))


def _continues_message(params: Params) -> float:
    return float(params.get("continue_final_message") is True)


def _first(values: Iterable[Value | None]) -> Value | None:
    """The first that is understood."""
    return next((value for value in values if value is not None), None)


class Reader(NamedTuple):
    """How a feature is read."""

    read: Read
    fields: frozenset[str]
    """Of a body, in which it stands."""
    nothing: float | None
    """What it is where there is none of them, which need not be found out again."""

    @classmethod
    def of(cls, read: Read, *ways: Paths) -> Self:
        """A reader of fields that lie at these ends."""
        return cls(read, frozenset(way[0] for one in ways for way in one), read({}))


READERS: Mapping[str, Reader] = {
    "log_max_tokens": Reader.of(_log(_first_number(CAPS)), CAPS),
    "log_tools": Reader.of(_log(_tools), TOOLS),
    "log_tool_characters": Reader.of(_log(_tool_characters), TOOLS),
    "tool_choice": Reader.of(_tool_choice, TOOLS, paths("tool_choice")),
    "answer_format": Reader.of(_answer_format, FORMAT, SCHEMAS, CHOSEN),
    "log_schema_characters": Reader.of(_log(_schema_characters), SCHEMAS),
    "reasoning_effort": Reader.of(_first_word(EFFORTS, EFFORT), EFFORT),
    "thinking": Reader.of(_thinking, THINKING),
    "log_thinking_budget": Reader.of(_log(_first_number(BUDGET)), BUDGET),
    "verbosity": Reader.of(_first_word(EFFORTS, VERBOSITY), VERBOSITY),
    "temperature": Reader.of(_first_number(TEMPERATURE), TEMPERATURE),
    "log_answers": Reader.of(_log(_answers), paths("n")),
    "continues_message": Reader.of(_continues_message, paths("continue_final_message")),
}
"""The features and how each is read, in their order. A logarithm is that of one more, so that 0 has one too."""
ASKED_FEATURES = tuple(READERS)
FIELDS = tuple(sorted(frozenset().union(*(reader.fields for reader in READERS.values()))))
"""The fields of a body that any of them is read of."""


def asked_features(params: Params) -> tuple[float | None, ...]:
    """What a request asks for, in the order of `ASKED_FEATURES`; None where it says nothing that is understood."""
    given = params.keys() & FIELDS
    return tuple(one.nothing if one.fields.isdisjoint(given) else one.read(params) for one in READERS.values())
