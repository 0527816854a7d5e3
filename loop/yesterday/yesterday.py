"""From a journal to what its last day would have been first come, first served: a run, its page, a line on /metrics."""

import logging
from collections.abc import Iterator
from dataclasses import asdict

import mlflow

from benchmarks.report.page.evidence import Evidence
from benchmarks.report.page.log import log_page
from benchmarks.what_if.placed_runs import Simulate
from benchmarks.what_if.provenance import of_log
from loop.yesterday.config import YesterdayConfig
from loop.yesterday.day_choice import choose_day
from loop.yesterday.served_day import ServedDay, read_day
from loop.yesterday.simulated_day import PARS, SimulatedDay, simulate_day
from loop.yesterday.verdict import Verdict
from registry import store
from registry.tracking import NOTE_TAG, log_parameters
from registry.watch import YESTERDAY_TAG
from serving.work.step_cost import StepCost

logger = logging.getLogger(__name__)


def run_yesterday(config: YesterdayConfig, cost: StepCost, simulate: Simulate, now_s: float) -> str:
    """Look at a day of the journal, log everything to the active MLflow run, and return what is to be said.

    What a server shows of it becomes a tag of the registered model.

    Args:
        config: whose day, and which.
        cost: what a step of the engine costs.
        simulate: answers runs.
        now_s: seconds since 1970: only a day that is over by then is taken unasked.

    Raises:
        InvalidInput: the journal cannot be read, has no such day, or nothing of it was ordered.
    """
    log_parameters(config)
    verdict = judge_day(config, cost, simulate, now_s)
    sentences = tuple(verdict.sentences())
    where = log_page(_evidence(config, cost, verdict, sentences))
    mlflow.log_metrics(verdict.line.metrics)
    mlflow.set_tags({"day": str(verdict.day.day), NOTE_TAG: "\n\n".join(sentences)})
    return "\n".join([*sentences, _shown(config, verdict), "", where])


def judge_day(config: YesterdayConfig, cost: StepCost, simulate: Simulate, now_s: float) -> Verdict:
    """The same without a run.

    Raises:
        InvalidInput: as `run_yesterday`.
    """
    day = choose_day(config.journal, config.target_llm, config.date, now_s)
    logger.info("reading %s of %s", day, config.journal)
    served = read_day(config.journal, config.target_llm, day)
    what_if = config.what_if("work" if served.is_by_work else "length")
    logger.info("simulating up to %s of its %s requests", f"{what_if.max_requests:,}", f"{len(served.traffic):,}")
    return Verdict(served, simulate_day(what_if, cost, served, simulate))


def _evidence(config: YesterdayConfig, cost: StepCost, verdict: Verdict, sentences: tuple[str, ...]) -> Evidence:
    day, simulated = verdict.day, verdict.simulated
    return Evidence(
        title=f"{day.day} of {config.target_llm}, and what it would have been first come, first served",
        answers=simulated.answers,
        provenance=tuple(_provenance(config, cost, day, simulated)),
        settings=asdict(config),
        overhead=(_placed_by(day),),
        advice=sentences,
        advice_title="What it says",
        verdict=verdict.in_a_line,
        next_step=verdict.next_step,
        policy=PARS,
        objectives=config,
        capacity_per_s=simulated.stretches.capacity_per_s,
        unrated=f"{day.day} as it came",
    )


def _provenance(config: YesterdayConfig, cost: StepCost, day: ServedDay, simulated: SimulatedDay) -> Iterator[str]:
    yield (
        f"'As served' is what the journal measured on {day.day} (UTC); the other rows are simulated:"
        f" {len(simulated.traffic):,} requests with their own arrivals, prompt tokens and answer lengths, by vLLM's own"
        f" scheduler under a virtual clock, on an engine that is empty when the day begins. {cost.sentence}"
    )
    yield (
        "PARS is the order that the server used: the place that the journal has of each request, corrections and caps"
        f" in it, with a patience of {config.patience_s:g} s, which the oracle has too. No ranker was asked again."
    )
    yield of_log(simulated.traffic, simulated.stretches)
    yield from simulated.traffic.notes


def _placed_by(day: ServedDay) -> str:
    whole = sum(day.placed_by.values())
    shares = ", ".join(f"{name} {count / whole:.1%}" for name, count in sorted(day.placed_by.items()))
    return f"Placed by (of the answers that count, by the journal): {shares}."


def _shown(config: YesterdayConfig, verdict: Verdict) -> str:
    """Let servers show it, if there is a registered model that can say it."""
    if store.find_model(store.model_name(config.target_llm)) is None:
        return f"No server shows it: no ranker is registered for {config.target_llm!r}."
    store.tag_model(config.target_llm, YESTERDAY_TAG, verdict.line.model_dump_json())
    return "Servers of this target LLM show it on /metrics as pars_yesterday_fcfs_ratio within seconds."
