"""A rival without a model: rules on the parameters of a request, as llm-d's router ships them as `outlen-bucket`. Pure.

Written after that plugin's documentation (llm-d-router, `requestheader/outlenbucket/README.md`, 2026). It reads neither
the text nor its length. What no rule knows is UNKNOWN and stands between SHORT and LONG; within a bucket it is first
come, first served.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Any

import numpy as np

from benchmarks.policies.places import Values, places
from traffic.rows.row import Row

Params = Mapping[str, Any]

LONG_BUDGET_TOKENS = 4000
"""A budget for thinking above this makes a request LONG."""
SHORT_CAP_TOKENS = 500
"""A cap below this makes a request SHORT."""
LONG_FLOOR_TOKENS = 2000
"""No answer that is capped below this is LONG."""
CAPS = ("max_output_tokens", "max_completion_tokens", "max_tokens")
BUDGETS = ("thinking_budget", "reasoning_budget")


class Bucket(IntEnum):
    """How long an answer will be; the lower one is served sooner."""

    SHORT = -1
    UNKNOWN = 0
    LONG = 1


def bucket_of(params: Params) -> Bucket:
    """The bucket of a request: the first rule that fits decides, and a low cap takes LONG back."""
    cap = _number(params, CAPS)
    if _is_long(params):
        return Bucket.UNKNOWN if cap is not None and cap < LONG_FLOOR_TOKENS else Bucket.LONG
    calls_a_tool = params.get("tools") and params.get("tool_choice") != "none" and not thinks(params)
    is_capped = cap is not None and cap < SHORT_CAP_TOKENS
    if _must_call_a_tool(params) or calls_a_tool or params.get("continue_final_message") is True or is_capped:
        return Bucket.SHORT
    return Bucket.UNKNOWN


def thinks(params: Params) -> bool | None:
    """Whether reasoning is switched on; None where the request does not say."""
    template = _object(params, "chat_template_kwargs")
    if isinstance(switch := template.get("enable_thinking"), bool):
        return switch
    kind = (_object(template, "thinking") or _object(params, "thinking")).get("type")
    if kind in ("enabled", "disabled"):
        return bool(kind == "enabled")
    effort = _object(params, "reasoning").get("effort")
    return str(effort) != "none" if effort else None


def bucket_places(rows: Iterable[Row], prompts: Sequence[str]) -> tuple[Values, str]:
    """Each prompt's place by its bucket, and a sentence that says how many there are of each.

    Of a prompt that was sent more than once the mean counts. One that is not among the rows is UNKNOWN.
    """
    wanted = frozenset(prompts)
    found: dict[str, list[Bucket]] = defaultdict(list)
    for row in rows:
        if row.text is not None and row.text in wanted:
            found[row.text].append(bucket_of(row.params or {}))
    means = np.array([np.mean(found.get(prompt, [Bucket.UNKNOWN])) for prompt in prompts])
    return places(means), _sentence(means)


def _sentence(means: Values) -> str:
    counts = Counter(np.sign(means).astype(int).tolist())
    told = ", ".join(f"{counts[bucket]:,} {bucket.name}" for bucket in Bucket)
    nothing = "" if counts[Bucket.UNKNOWN] < len(means) else ": no request has such parameters, so it is FCFS by itself"
    return f"outlen_bucket knows only the parameters of requests (reasoning, tools, caps): {told}{nothing}."


def _is_long(params: Params) -> bool:
    switch = thinks(params)
    budget = _number(_object(params, "chat_template_kwargs"), BUDGETS)
    return switch is True or (switch is None and budget is not None and budget > LONG_BUDGET_TOKENS)


def _must_call_a_tool(params: Params) -> bool:
    choice = params.get("tool_choice")
    return choice == "required" or isinstance(choice, Mapping)


def _object(params: Params, name: str) -> Params:
    value = params.get(name)
    return value if isinstance(value, Mapping) else {}


def _number(params: Params, names: Sequence[str]) -> float | None:
    found = (params.get(name) for name in names)
    return next((float(one) for one in found if isinstance(one, int | float) and not isinstance(one, bool)), None)
