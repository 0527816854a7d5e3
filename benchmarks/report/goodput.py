"""How many requests are answered in time, and up to which rate that holds. Pure.

As vLLM's `bench serve --goodput` and DistServe (Zhong et al. 2024) have it: a request is good if it meets every time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from benchmarks.answers import ALONE
from benchmarks.policies.titles import figure, short_title
from registry.errors import InvalidInput

SHARES = (0.9, 0.95, 0.99)
MET = "met_objectives"
"""Share of the requests that were answered in time."""


@dataclass(frozen=True, kw_only=True)
class Objectives:
    """Within which times a request is to be answered. The first two are MLPerf's for a Llama of 70B behind a server."""

    ttft_objective_s: float = 2.0
    """Goodput counts a request if its first token comes within so many seconds; 0 asks for none."""
    per_token_objective_s: float = 0.2
    """And every token after the first takes at most so many, on average; 0 asks for none."""
    e2e_objective_s: float = 60.0
    """And its last token comes within so many; 0 asks for none."""

    def met_objectives(self, answers: pd.DataFrame) -> pd.Series:
        """Of each answer, whether it came in time."""
        per_token_s = (answers.e2e_s - answers.ttft_s) / np.maximum(answers.output_tokens - 1, 1)
        taken = zip((answers.ttft_s, per_token_s, answers.e2e_s), self.objective_times_s, strict=True)
        met = pd.Series(True, index=answers.index)
        for seconds, at_most_s in taken:
            met &= (seconds <= at_most_s) | (at_most_s == 0)
        return met

    @property
    def objective_times_s(self) -> tuple[float, float, float]:
        """To the first token, a token after it, and to the last token; 0 asks for none."""
        return self.ttft_objective_s, self.per_token_objective_s, self.e2e_objective_s

    @property
    def objectives_in_words(self) -> str:
        """For people."""
        meant = ("to the first token", "a token after it", "to the last token")
        asked = [
            f"{figure(at_most)} s {what}"
            for at_most, what in zip(self.objective_times_s, meant, strict=True)
            if at_most
        ]
        return ", ".join(asked) or "no times at all"

    def check_objectives(self) -> None:
        """Refuse what no time can be.

        Raises:
            InvalidInput: one is below 0.
        """
        for one in fields(Objectives):
            if not getattr(self, one.name) >= 0:
                raise InvalidInput(f"{one.name} must be at least 0 seconds, but got {getattr(self, one.name)}.")


def goodput(table: pd.DataFrame, policy: str, share: float) -> float:
    """The highest load up to which, at every measured one, this share of requests was answered in time.

    Between two loads the share is taken to fall on a straight line. NaN where not even the lowest load keeps it, or
    none was measured; the highest load measured where all do.
    """
    rows = table[(table.policy == policy) & (table.load > ALONE)].sort_values("load")
    loads, met = rows.load.to_numpy(dtype=float), rows[MET].to_numpy(dtype=float)
    failing = np.flatnonzero(met < share)
    if not len(loads) or (len(failing) and failing[0] == 0):
        return float("nan")
    if not len(failing):
        return float(loads[-1])
    last, first = failing[0] - 1, failing[0]
    return float(loads[last] + (loads[first] - loads[last]) * (met[last] - share) / (met[last] - met[first]))


def goodputs(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Of each policy, by the names of figures; empty for fewer than two loads, of which nothing can be said."""
    if table.load[table.load > ALONE].nunique() < 2:
        return {}
    return {
        policy: {f"goodput_{100 * share:.0f}": goodput(table, policy, share) for share in SHARES}
        for policy in map(str, table.policy.unique())
    }


def goodput_sentences(table: pd.DataFrame, load: float, objectives: Objectives, capacity_per_s: float) -> list[str]:
    """What share met the times at the load of the headline, and the goodput of each policy."""
    rows = table[table.load.isna() if np.isnan(load) else table.load == load]
    shares = ", ".join(f"{short_title(str(row.policy))} {100 * getattr(row, MET):.3g} %" for row in rows.itertuples())
    return [f"Answered in time ({objectives.objectives_in_words}): {shares}.", *_of_loads(table, capacity_per_s)]


def _of_loads(table: pd.DataFrame, capacity_per_s: float) -> Iterator[str]:
    found = goodputs(table)
    if not found:
        yield "Goodput, the highest rate at which a share of requests is answered in time, needs two loads or more."
        return
    at_1 = f" (capacity is {figure(capacity_per_s)} requests per second)" if capacity_per_s else ""
    rated = table.load[table.load > ALONE]
    lowest, highest = float(rated.min()), float(rated.max())
    texts = "; ".join(
        f"{short_title(policy)} {' / '.join(_load(one, lowest, highest) for one in of_share.values())}"
        for policy, of_share in found.items()
    )
    yield (
        f"Goodput, the highest rate as a multiple of capacity{at_1} at which"
        f" {' / '.join(f'{100 * share:.0f}' for share in SHARES)} % of requests are answered in time, on straight lines"
        f" between the loads measured: {texts}."
    )


def _load(load: float, lowest: float, highest: float) -> str:
    if np.isnan(load):
        return f"below {lowest:g}"
    return f"at least {highest:g}" if load == highest else figure(load)
