"""What a request asks for beside its text, without a word of its author's: numbers, switches, sizes. Pure."""

from collections.abc import Mapping
from typing import Any

from registry.features.fields import size

SIZED = frozenset(
    {
        *("tools", "json_schema", "schema", "json", "regex", "grammar", "choice", "structural_tag", "stop"),
        *("guided_json", "guided_regex", "guided_grammar", "guided_choice"),
    }
)
"""Fields of which only the sizes are kept, that of each item of a list, as a ranker reads them."""
KEPT_FIELDS = frozenset(
    {
        *("type", "effort", "reasoning_effort", "budget_tokens", "max_tokens", "summary", "mode"),
        *(
            "enable_thinking",
            "thinking",
            "enabled",
            "verbosity",
            "format",
            "thinking_budget",
            "reasoning_budget",
            "add_generation_prompt",
        ),
    }
)
"""Of objects inside: others may be named by the author."""
WORDS = frozenset(
    {
        *("auto", "none", "required", "any", "tool", "function", "allowed_tools"),
        *("text", "json_object", "json_schema", "structural_tag"),
        *("minimal", "low", "medium", "high", "xhigh", "max", "concise", "detailed"),
        *("enabled", "disabled", "adaptive"),
    }
)
"""The words that the APIs have for switches."""


def without_text(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters, each text that is no word of an API's replaced by its number of characters."""
    return {name: _size(value) if name in SIZED else _shape(value) for name, value in params.items()}


def _shape(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return value if value in WORDS else len(value)
    if isinstance(value, Mapping):
        return without_text({name: one for name, one in value.items() if name in KEPT_FIELDS | SIZED})
    return len(value)


def _size(value: Any) -> int | list[int]:
    return [int(size(one)) for one in value] if isinstance(value, list) else int(size(value))
