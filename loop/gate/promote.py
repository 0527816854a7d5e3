"""Promotion through the gate: judge the challenger, write the decision down, and move the alias if it is good."""

import shlex

from loop.gate.config import GateConfig
from loop.gate.contestants import Contest
from loop.gate.decision_run import decision_run, log_decision, note_on_version
from loop.gate.judgement import Judged, judge_challenger
from registry import store
from registry.errors import UserError
from registry.tracking import name_run


class NotPromoted(UserError):
    """The gate has refused; the message says why, and what can be done."""


def promote(config: GateConfig) -> str:
    """Let the challenger through the gate and make it the champion.

    Raises:
        NotPromoted: it is not good enough; nothing has changed but what is noted on the version.
        InvalidInput: the journal or the log cannot be used.
        RegistryError: no such target LLM or version, or nothing is proposed.
    """
    judged = decide_promotion(config)
    if judged is None:
        version = store.alias_version(config.target_llm)
        return f"{store.model_name(config.target_llm)}: version {version} is the champion already; nothing changes."
    if not judged.decision.is_promoted:
        raise NotPromoted(
            f"{judged.contest.challenger.name} version {judged.contest.challenger.version} is not promoted."
            f" {judged.decision.sentence} The run 'do not promote {config.target_llm} to version"
            f" {judged.contest.challenger.version}' has all figures; force=REASON promotes it all the same."
        )
    return told(judged)


def decide_promotion(config: GateConfig) -> Judged | None:
    """Judge, record the decision in a run, and move the alias if it is promoted; None where it is the champion already.

    Raises:
        InvalidInput: the journal or the log cannot be used.
        RegistryError: no such target LLM or version, nothing is proposed, or another became the champion meanwhile.
    """
    version = store.proposed_version(config.target_llm, None if config.version is None else int(config.version))
    if version == store.alias_version(config.target_llm):
        name_run(f"promote {config.target_llm}: version {version} is the champion already")
        return None
    with decision_run(config) as run:
        judged = judge_challenger(config)
        log_decision(judged, run)
        if judged.decision.is_promoted:
            _require_same_champion(judged.contest)
        note_on_version(judged, run)
        if judged.decision.is_promoted:
            store.promote(config.target_llm, version)
    return judged


def told(judged: Judged) -> str:
    """What a promotion prints."""
    contest = judged.contest
    target = shlex.quote(contest.target_llm)
    return "\n".join(
        [
            f"{contest.challenger.name}: version {contest.challenger.version} is the champion.",
            judged.decision.sentence,
            *(f"- {one.says}" for one in judged.decision.findings if one.is_met),
            f"Judged on {judged.judged_on}.",
            *judged.checked.notes,
            f"Servers of {contest.target_llm} take it over within seconds; to start one: PARS_TARGET_LLM={target}"
            f" PARS_LLM=MODEL bentoml serve. Back: pars rollback --target-llm {target}",
        ]
    )


def _require_same_champion(contest: Contest) -> None:
    """What was compared must still be so."""
    now, then = store.alias_version(contest.target_llm), contest.champion and contest.champion.version
    if now != then:
        raise store.RegistryError(
            f"the champion must be the one that was compared with (version {then}), but is version {now} by now;"
            " promote again."
        )
