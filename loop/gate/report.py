"""A decision as a page: what a person reads in the run and in the registry. Pure."""

from collections.abc import Iterator

from loop.gate.judgement import Judged
from registry.promotion import Finding
from registry.runs.pages import table

PARAGRAPH = "**Gate**"
"""What the gate's paragraph in a version's description begins with."""


def report(judged: Judged) -> str:
    """The decision with its reasons, as Markdown."""
    return "\n".join(_lines(judged))


def paragraph(judged: Judged, link: str) -> str:
    """Of a version's description: the decision, and where it is."""
    return f"{PARAGRAPH}: {judged.decision.sentence} [The decision]({link})"


def last_decision(judged: Judged, link: str) -> str:
    """Of a registered model's description: what the gate did last."""
    return f"{PARAGRAPH}, last: version {judged.contest.challenger.version} {judged.decision.outcome}. [Why]({link})"


def with_paragraph(description: str, new: str) -> str:
    """A description with what the gate says now, instead of what it said before."""
    kept = [one for one in description.split("\n\n") if one and not one.startswith(PARAGRAPH)]
    return "\n\n".join([*kept, new])


def _lines(judged: Judged) -> Iterator[str]:
    contest, decision = judged.contest, judged.decision
    champion = "no champion" if contest.champion is None else f"the champion, version {contest.champion.version}"
    yield f"# {contest.target_llm}: version {contest.challenger.version} is {decision.outcome}"
    yield ""
    if decision.force is not None:
        yield f"**Forced:** {decision.force}\n"
    yield f"The challenger, version {contest.challenger.version}, beside {champion}, judged on {judged.judged_on}."
    yield ""
    yield table(("looked at", "measured", "bound", "met"), map(_row, decision.findings))
    yield ""
    yield from (_said(one) for one in decision.findings)
    if judged.checked.notes:
        yield "\n## What must be known\n"
        yield from (f"- {note}" for note in judged.checked.notes)


def _row(finding: Finding) -> tuple[str, ...]:
    return finding.name, _number(finding.measured), _number(finding.bound), "yes" if finding.is_met else "**no**"


def _said(finding: Finding) -> str:
    return f"- {finding.says}" if finding.is_met else f"- **{finding.says}**"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
