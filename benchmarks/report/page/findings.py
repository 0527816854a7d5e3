"""What the answers say, in sentences. Pure."""

from dataclasses import dataclass

import pandas as pd

from benchmarks.answers import ALONE
from benchmarks.policies.titles import figure, load_title, short_title
from benchmarks.report.comparison import MATTERS_FROM, at_load, figures_at, onset
from benchmarks.report.goodput import goodput_sentences
from benchmarks.report.page.charts import by_tenth, p99
from benchmarks.report.page.evidence import Evidence
from benchmarks.report.summary import E2E_RATIO, RATIO

NOTICED_FROM = 0.01
"""Less is no difference to anybody, however sure it is."""

Figures = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Findings:
    """The sentences of a report."""

    headline: str
    kept: str
    """How much of the oracle's gain is there; empty where that is no share to speak of."""
    price: str
    matters: str
    in_time: tuple[str, ...]
    """Shares of requests that were answered in time, and goodput."""


def find(evidence: Evidence, table: pd.DataFrame) -> Findings:
    """Say what the policy of the evidence brings, who pays for it, and from which load on it matters."""
    in_time = goodput_sentences(table, evidence.load, evidence.objectives, evidence.capacity_per_s)
    return Findings(
        headline=_headline(evidence, table),
        kept=_kept(figures_at(table, evidence.load), evidence.policy),
        price=_price(evidence, table),
        matters=_matters(evidence, table),
        in_time=tuple(in_time),
    )


def _headline(evidence: Evidence, table: pd.DataFrame) -> str:
    rows = figures_at(table, evidence.load)
    one, name = rows[evidence.policy], _subject(evidence.policy)
    at = load_title(evidence.load, evidence.unrated)
    if has_no_rival(evidence, rows):
        return f"{name}: {figure(one['s_per_token'])} s per token ({at}); nothing to compare it with was run."
    ratio, low, high = (one[f"{RATIO}{end}"] for end in ("", "_low", "_high"))
    measured = (
        f"{figure(one['s_per_token'])} s per token instead of {figure(rows['fcfs']['s_per_token'])} s"
        f" ({at}; 95 % interval of the factor {figure(low)} to {figure(high)}), and {_end_to_end(one, rows['fcfs'])}"
    )
    if abs(ratio - 1) < NOTICED_FROM:
        return f"{name} makes no difference to first-come-first-served (a factor of {figure(ratio)}): {measured}."
    if low > 1:
        return f"{name} answers {figure(ratio)} times sooner than first-come-first-served: {measured}."
    if high < 1:
        return f"{name} is worse than first-come-first-served by a factor of {figure(1 / ratio)}: {measured}."
    return f"{name} cannot be told from first-come-first-served (a factor of {figure(ratio)}): {measured}."


def _subject(policy: str) -> str:
    """A policy at the beginning of a sentence; a name that somebody gave it stays as it was given."""
    title = short_title(policy)
    return title if title == policy else f"{title[0].upper()}{title[1:]}"


def _end_to_end(one: dict[str, float], fcfs: dict[str, float]) -> str:
    """The mean beside seconds per token, which count a short answer as much as a long one."""
    ratio, low, high = (one[f"{E2E_RATIO}{end}"] for end in ("", "_low", "_high"))
    return (
        f"{figure(one['e2e_s_mean'])} s end-to-end instead of {figure(fcfs['e2e_s_mean'])} s (mean; a factor of"
        f" {figure(ratio)}, {figure(low)} to {figure(high)})"
    )


def has_no_rival(evidence: Evidence, rows: Figures) -> bool:
    """Whether nothing was run that the policy could be compared with."""
    return "fcfs" not in rows or evidence.policy == "fcfs"


def _price(evidence: Evidence, table: pd.DataFrame) -> str:
    rows = figures_at(table, evidence.load)
    if has_no_rival(evidence, rows):
        return ""
    one, fcfs = rows[evidence.policy], rows["fcfs"]
    answers = at_load(evidence.answers, evidence.load)
    waits = by_tenth(answers, answers.ttft_s, p99)
    longest = waits[waits.tenth == waits.tenth.max()].set_index("policy").value.to_dict()
    pays = "pays" if longest[evidence.policy] > (1 + NOTICED_FROM) * longest["fcfs"] else "pays nothing"
    return (
        f"The longest tenth of the answers {pays}: one in a hundred of them waits"
        f" {figure(longest[evidence.policy])} s or more for its first token, instead of {figure(longest['fcfs'])} s."
        f" The longest wait of all is {figure(one['max_wait_s'])} s instead of {figure(fcfs['max_wait_s'])} s, and the"
        f" p99 to the last token {figure(one['e2e_s_p99'])} s instead of {figure(fcfs['e2e_s_p99'])} s."
    )


def _kept(rows: Figures, policy: str) -> str:
    if "oracle" not in rows or policy == "oracle" or "fcfs" not in rows or not rows["oracle"][RATIO] > MATTERS_FROM:
        return ""
    fcfs, oracle, own = (rows[one]["s_per_token"] for one in ("fcfs", "oracle", policy))
    return f"That is {100 * (fcfs - own) / (fcfs - oracle):.0f} % of what knowing every length would bring."


def _matters(evidence: Evidence, table: pd.DataFrame) -> str:
    rated, name = table[table.load > ALONE], short_title(evidence.policy)
    rule = f"the low end of the interval of FCFS ÷ {name} is above {MATTERS_FROM}"
    if rated.load.nunique() < 2 or "fcfs" not in set(table.policy):
        return "Only one load was measured, so this page cannot say from which one on ordering matters."
    found, measured = onset(table, evidence.policy), ", ".join(f"{load:g}" for load in sorted(rated.load.unique()))
    if found is None:
        return (
            f"Ordering matters at none of the measured loads ({measured} × capacity): at none {rule} up to the highest."
        )
    return f"Ordering matters from {found:g} × capacity on: from there {rule} (loads measured: {measured})."
