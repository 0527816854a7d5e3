"""Tools of a log in the form in which a chat sends them. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any


def chat_tools(tools: Any) -> list[Mapping[str, Any]]:
    """Tools of any API in the form of a chat's; those that are the server's own are left out."""
    named = _named(tools if isinstance(tools, list) else [])
    return [{"type": "function", "function": one} for one in named]


def _named(tools: Iterable[Any]) -> Iterable[Mapping[str, Any]]:
    for tool in tools:
        said = tool.get("function", tool) if isinstance(tool, Mapping) else None
        if isinstance(said, Mapping) and isinstance(said.get("name"), str):
            schema = said.get("parameters") or said.get("input_schema") or {"type": "object", "properties": {}}
            yield {"name": said["name"], "description": str(said.get("description") or ""), "parameters": schema}
