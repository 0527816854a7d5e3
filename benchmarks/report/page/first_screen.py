"""What a decider asks of a report, answered before all else: a verdict, and a sentence or two for each question."""

from dataclasses import dataclass

import pandas as pd

from benchmarks.policies.policy_list import CONTROL
from benchmarks.policies.titles import figure, short_title
from benchmarks.report.comparison import MATTERS_FROM, at_load, figures_at
from benchmarks.report.page.evidence import Evidence
from benchmarks.report.page.findings import NOTICED_FROM, Figures, Findings, has_no_rival
from benchmarks.report.summary import RATIO


@dataclass(frozen=True)
class FirstScreen:
    """The verdict, and what was asked with its answer."""

    verdict: str
    answers: dict[str, str]


def first_screen(evidence: Evidence, table: pd.DataFrame, findings: Findings) -> FirstScreen:
    """Whether it is worth it on this traffic, from which load on, who pays, how sure that is, and what to do next."""
    rows = figures_at(table, evidence.load)
    verdict, then = _verdict(evidence, rows)
    answers = {
        "Is it worth it?": " ".join(filter(None, (findings.headline, findings.kept))),
        "From which load on?": findings.matters,
        "Who pays?": findings.price,
        "In time?": " ".join(findings.in_time),
        "How sure?": _how_sure(evidence, rows),
        "What next?": evidence.next_step or (evidence.advice[0] if evidence.advice else then),
    }
    return FirstScreen(
        evidence.verdict or verdict, {question: answer for question, answer in answers.items() if answer}
    )


def _verdict(evidence: Evidence, rows: Figures) -> tuple[str, str]:
    """In a line, and what follows from it where nothing else is advised."""
    if has_no_rival(evidence, rows):
        return "Nothing to compare with", "Run it beside fcfs: policies=fcfs,pars,oracle,control."
    name = short_title(evidence.policy)
    ratio, low, high = (rows[evidence.policy][f"{RATIO}{end}"] for end in ("", "_low", "_high"))
    if abs(ratio - 1) < NOTICED_FROM:  # however sure that is: what nobody notices is no harm
        return "No difference here: leave it as it is", (
            "Try a higher load, or the busiest hours: where nothing waits, ordering can bring nothing."
        )
    if high < 1:
        return f"Worse than first come, first served: {name} costs here", (
            "Leave ordering off for this traffic, and look at what ranking costs and who waits, below."
        )
    if low > MATTERS_FROM:
        return f"Worth it here: {figure(ratio)} times fewer seconds per token", (
            "Serve it with a journal, and see what it has brought on your own traffic (pars yesterday). The"
            " command pars ordering switches it off within seconds."
        )
    if low > 1:
        return f"A little: {figure(ratio)} times fewer seconds per token", (
            "Compare with a higher load before you decide: the gain grows with what waits."
        )
    return "Not known yet: too few answers to tell", "Measure more requests or repeats: the interval holds 1."


def _how_sure(evidence: Evidence, rows: Figures) -> str:
    if has_no_rival(evidence, rows):
        return ""
    answers = at_load(evidence.answers, evidence.load)
    its = answers[answers.policy == evidence.policy]
    one, runs = rows[evidence.policy], its.repeat.nunique()
    said = (
        f"The factor lies between {figure(one[f'{RATIO}_low'])} and {figure(one[f'{RATIO}_high'])} with 95 %, by"
        f" {len(its):,} answers in {runs} run{'s' if runs > 1 else ''} of each order."
    )
    if CONTROL in rows:
        said += f" The control, which knows nothing, comes to {figure(rows[CONTROL][RATIO])}."
    return f"{said} It is of this traffic and this engine; other requests of the same kind would fall into that range."
