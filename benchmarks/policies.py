"""How each policy orders the waiting queue: the integer priority that the client sends with a request.

The replayed server trusts a client's non-zero priority (lower = sooner) and ranks what comes without one, so
every policy runs on one server in one run.
"""

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import numpy as np

from benchmarks.places import places
from benchmarks.plan import PlannedRequest
from registry.ranker import Ranker
from serving.priority import priority

Policy = Literal["fcfs", "control", "pars", "oracle", "endpoint"]
Prioritise = Callable[[int, int], int | None]
"""(index of the request, send time in microseconds since the epoch) -> priority, or None to let the server rank."""


def parse_policies(text: str) -> tuple[Policy, ...]:
    """Read a comma-separated list of policies.

    Raises:
        ValueError: an unknown policy, or no `fcfs`, which every other one is compared with. `endpoint` may stand alone.
    """
    names = tuple(name.strip() for name in text.split(","))
    known = get_args(Policy)
    if any(name not in known for name in names) or ("fcfs" not in names and names != ("endpoint",)):
        raise ValueError(f"policies are fcfs and any of {', '.join(known[1:])}, or endpoint alone, but got {text!r}.")
    return tuple(policy for policy in known if policy in names)


def fcfs(_index: int, sent_us: int) -> int:
    """First come, first served."""
    return sent_us


def pars(_index: int, _sent_us: int) -> None:
    """Shortest predicted first: the server's own ranking. Of another endpoint: the order that it keeps."""


def aged(quantiles: Sequence[float], patience_s: float) -> Prioritise:
    """Order by places, 0 to 1, as the server orders by its predictions: with the same patience."""
    return lambda index, sent_us: priority(sent_us, patience_s, quantiles[index])


def oracle_quantiles(requests: Sequence[PlannedRequest]) -> list[float]:
    """Places by the true lengths: the limit for any ranker. Equal lengths share theirs."""
    return list(map(float, places(np.array([request.output_tokens for request in requests]))))


def control_quantiles(ranker: Ranker, requests: Sequence[PlannedRequest], is_reversed: bool) -> list[float]:
    """Places by a ranker trained on shuffled labels; reversed in the second replay of a pair.

    They must gain nothing: if they do, the truth leaks into the order.

    Shuffled labels leave a ranker with an order of its own, and by chance that order may agree a little with the
    truth. Its mirror image was as likely, so a pair of both has no such luck (antithetic variates).
    """
    quantiles = [ranker.predict(request.prompt).quantile for request in requests]
    return [1 - quantile if is_reversed else quantile for quantile in quantiles]
