"""Is the challenger good enough? Everything is looked at and nothing changed: `promote.py` does that."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loop.gate.checks.artefact_checks import Clock, artefact_checks, loading_check
from loop.gate.checks.checked import Checked, joined
from loop.gate.checks.day_charts import day_chart
from loop.gate.checks.memory_checks import memory_checks
from loop.gate.checks.order_checks import order_checks
from loop.gate.checks.scored import Scored, scored
from loop.gate.checks.tenant_checks import tenant_checks
from loop.gate.config import GateConfig
from loop.gate.contestants import Contest, read_contest
from loop.gate.judged.judged_requests import Evidence, read_evidence, require_order
from registry.artefact.card import REFERENCE_PROMPTS
from registry.errors import InvalidInput
from registry.promotion import Decision, Finding, at_most, decide
from registry.request_features import Readable
from registry.store import proposed_version


@dataclass(frozen=True)
class Judged:
    """The decision, and what it rests on."""

    contest: Contest
    decision: Decision
    checked: Checked
    judged_on: str
    """Which requests, as a phrase."""


def judge_challenger(config: GateConfig, clock: Clock = time.perf_counter) -> Judged:
    """Look at a challenger, beside the champion and on fresh requests if there are such; nothing is changed.

    Raises:
        InvalidInput: the journal or the log cannot be used.
        RegistryError: no such target LLM or version, or nothing is proposed.
    """
    contest = read_contest(config.target_llm, proposed_version(config.target_llm, _number(config.version)))
    loading = loading_check(contest)
    if contest.challenger.ranker is None:
        return _judged(config, contest, "nothing", [loading])
    evidence, why_none = _evidence(config, contest)
    views: Sequence[Readable] = REFERENCE_PROMPTS if evidence is None else evidence.judged.views or ()
    parts = [loading, artefact_checks(config, contest.rankers, views, clock)]
    if evidence is None:
        said = f"Only the artefact was looked at, not how it orders requests: {why_none}."
        return _judged(config, contest, "no requests", [*parts, Checked(notes=(said,))])
    return _judged(config, contest, evidence.judged.where, [*parts, *_on_requests(config, contest, evidence)])


def _number(version: str | None) -> int | None:
    return None if version is None else int(version)


def _judged(config: GateConfig, contest: Contest, judged_on: str, parts: Sequence[Checked]) -> Judged:
    checked = joined(parts)
    return Judged(contest, decide(checked.findings, config.force), checked, judged_on)


def _evidence(config: GateConfig, contest: Contest) -> tuple[Evidence | None, str]:
    """The requests on which it is judged; None and why where nobody gave any and those of its training are of no use.

    Raises:
        InvalidInput: those that were given cannot be used.
    """
    try:
        evidence = read_evidence(config, contest)
        if "champion" not in contest.rankers:
            require_order(evidence.judged)
    except InvalidInput as error:
        if config.path is not None:
            raise
        return None, f"neither journal nor log was given, and {error}"
    return evidence, ""


def _on_requests(config: GateConfig, contest: Contest, evidence: Evidence) -> Iterator[Checked]:
    has_champion = "champion" in contest.rankers
    if has_champion:
        yield Checked(findings=(enough := _enough(config, evidence),), notes=evidence.notes)
        if not enough.is_met:
            return
    else:
        yield Checked(notes=(*evidence.notes, "There is no champion to compare with."))
    rankers = contest.rankers
    scores = {who: scored(who, ranker, evidence.judged) for who, ranker in rankers.items()}
    yield order_checks(config, evidence.judged, scores)
    encoders = {who: one.tokens["encoder"] for who, one in scores.items()}
    suspects = {who: scored(who, ranker, evidence.suspects, ("encoder",)) for who, ranker in rankers.items()}
    of_suspects = {who: one.tokens["encoder"] for who, one in suspects.items()}
    cards = {who: ranker.card for who, ranker in rankers.items()}
    yield memory_checks(config, evidence, encoders, of_suspects, cards)
    if has_champion:
        yield tenant_checks(config, evidence.judged, **encoders)
        yield day_chart(config, evidence.judged, **encoders)
        yield _simulated(config, evidence, scores, contest)


def _enough(config: GateConfig, evidence: Evidence) -> Finding:
    """A finding like any other: who has seen too little is not promoted."""
    there, needed = len(evidence.judged), config.least_requests
    try:
        require_order(evidence.judged)
    except InvalidInput:
        there = 0
    says = f"{there:,} requests can be judged on, {evidence.judged.where}; {needed:,} are needed."
    if there < needed:
        says += " Wait for more, give more days and max_requests, or lower least_requests."
    return at_most("missing_requests", max(needed - there, 0), 0, says)


def _simulated(config: GateConfig, evidence: Evidence, scores: dict[str, Scored], contest: Contest) -> Checked:
    try:
        from benchmarks.simulation.engine.run import simulate_all  # vLLM's scheduler: not where nothing is simulated
        from loop.gate.checks.simulation_checks import simulation_checks
    except ImportError as error:
        return Checked(notes=(f"Nothing was simulated, since a library is missing here: {error}.",))
    cards = {who: ranker.card for who, ranker in contest.rankers.items()}
    return simulation_checks(config, evidence.judged, evidence.share, scores, cards, simulate_all)
