"""The parameters of a request that say something of its answer's length, by the names of the APIs. Pure."""

from collections.abc import Mapping
from typing import Any

from traffic.cells.nested import unpacked

PARAMS = (
    *("max_tokens", "max_completion_tokens", "max_output_tokens"),
    *("tools", "tool_choice", "continue_final_message"),
    *("chat_template_kwargs", "reasoning", "thinking"),
)
"""As Chat Completions, Completions and Responses call them, and vLLM what a chat template is given."""
PARAMS_COLUMN = "params"
"""Where a log of our own form has all that was asked for, as JSON."""


def params_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those that a request or a row of a log has; what a database turned into JSON text is an object again.

    What stands in a column of its own comes before the same in the column `params`, which may say more than is known
    here.
    """
    together = unpacked(values.get(PARAMS_COLUMN))
    named = ((name, values.get(name)) for name in PARAMS)
    found = [*(together.items() if isinstance(together, Mapping) else ()), *named]
    return {name: unpacked(value) for name, value in found if value is not None and value == value}  # NaN is none
