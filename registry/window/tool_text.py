"""The tools that a request may call, in few words: their names, parameters and what they do. Pure."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

MARK = "tools: "
MOST_TOOLS = 64
MOST_PARAMETERS = 16
MOST_CHARACTERS_OF_ONE = 256
MOST_CHARACTERS = 4096
"""Of all tools together; a window keeps the head and the tail of fewer."""


def tool_text(tools: Any) -> str:
    """The tools of a request's body as text, a line each; empty where there are none that can be read.

    As Chat Completions, Responses, Anthropic's Messages and Cohere's chat have them; what is in another form, or of a
    journal that has kept how many there were, is left out.
    """
    if not isinstance(tools, list):
        return ""
    lines = [line for tool in tools[:MOST_TOOLS] if (line := _line(tool))]
    return (MARK + "\n".join(lines))[:MOST_CHARACTERS] if lines else ""


def _line(tool: Any) -> str:
    if not isinstance(tool, Mapping):
        return ""
    function = tool.get("function")
    said = function if isinstance(function, Mapping) else tool
    name = _text(said.get("name")) or _text(tool.get("type"))  # a tool of the server's own has a type alone
    if not name:
        return ""
    parameters = ", ".join(islice(_parameters(said), MOST_PARAMETERS))
    return f"{name}({parameters}): {_text(said.get('description'))}"[:MOST_CHARACTERS_OF_ONE]


def _parameters(said: Mapping[str, Any]) -> Iterator[str]:
    schemas = (said.get(name) for name in ("parameters", "input_schema"))
    properties = next((schema.get("properties") for schema in schemas if isinstance(schema, Mapping)), None)
    return map(str, properties) if isinstance(properties, Mapping) else iter(())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
