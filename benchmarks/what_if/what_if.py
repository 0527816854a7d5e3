"""From a log of served traffic to the report: what ordering would bring, and what to spend on."""

import logging
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow

from benchmarks.failures import SimulationError
from benchmarks.policies.places import Values, noisy_quantiles, places, shuffled_places
from benchmarks.policies.titles import figure, load_title
from benchmarks.report.leak import leak
from benchmarks.report.notes import fail_opens, oracle_patience
from benchmarks.report.page.evidence import Evidence
from benchmarks.report.page.log import log_page
from benchmarks.simulation.run import simulate_all
from benchmarks.simulation.step_cost import StepCost
from benchmarks.what_if.advice import ALL_AT_ONCE, advise
from benchmarks.what_if.config import WhatIfConfig
from benchmarks.what_if.setting_charts import setting_charts
from benchmarks.what_if.study import PlacedTraffic, Simulate, Studied, affordable_requests, study
from registry.errors import InvalidInput
from registry.store import load_ranker
from registry.tracking import log_parameters
from traffic.served_log import Traffic, read_served_log
from training.judging.ranking_metrics import kendall_tau_b

logger = logging.getLogger(__name__)

SETTINGS_FILE = "settings.parquet"


def run_what_if(config: WhatIfConfig, cost: StepCost, simulate: Simulate = simulate_all) -> str:
    """Simulate the log, log everything to the active MLflow run, and return the advice and where the report is.

    `cost` is what a step of the engine costs.

    Raises:
        InvalidInput: the log cannot be read, or a ranker is given and the log has no prompts.
        RegistryError, InvalidRanker: the ranker cannot be used.
        SimulationError: the control gained something.
    """
    log = read_served_log(config)
    log_parameters(config)
    fitting = log.that_fit(config.engine.longest_request)
    shown = fitting.window(0, affordable_requests(config, fitting))
    pars = _of_ranker(config, shown)
    tau = kendall_tau_b(pars, shown.output_tokens.astype(float)) if config.ranker else config.tau
    config = replace(config, tau=min(max(tau, 0.0), 1.0))
    studied = study(config, cost, _placed(config, shown, pars), simulate)
    advice = advise(config, studied, tau)
    evidence = Evidence(
        title=f"What if {config.log.name} were served shortest-predicted-first?",
        answers=studied.answers,
        provenance=tuple(_provenance(config, len(log), shown, studied, cost, tau)),
        settings=asdict(config),
        overhead=(ranking_delay(studied), *fail_opens(studied.answers)),
        advice=advice,
        sweeps=setting_charts(studied),
        sweeps_title=f"What would change it (at {studied.sweep_load:.3g} × capacity)",
        unrated=f"the log as it is, {load_title(studied.log_load, ALL_AT_ONCE)}",
    )
    where = log_page(evidence)
    _log_settings(studied, tau)
    text = "\n".join([*advice, "", where])
    if (reason := leak(studied.answers)) is not None:
        raise SimulationError(f"{text}\n{reason}")
    return text


def _placed(config: WhatIfConfig, log: Traffic, pars: Values) -> PlacedTraffic:
    control, oracle = shuffled_places(log.output_tokens, config.seed), places(log.output_tokens)
    return PlacedTraffic(log, {"fcfs": None, "control": control, "pars": pars, "oracle": oracle})


def _of_ranker(config: WhatIfConfig, log: Traffic) -> Values:
    if not config.ranker:
        return noisy_quantiles(log.output_tokens, config.tau, config.seed)
    if log.prompts is None or not all(prompt.strip() for prompt in log.prompts):
        raise InvalidInput(
            f"a ranker reads prompts, but {config.log} has rows without a text; leave ranker out, and give tau=NUMBER."
        )
    return load_ranker(config.ranker).quantiles_of(log.prompts, "ranking")


def _provenance(
    config: WhatIfConfig, in_file: int, log: Traffic, studied: Studied, cost: StepCost, tau: float
) -> list[str]:
    shown = "all" if len(log) == in_file else "the first"
    window = studied.sweep_requests
    return [
        f"Simulated, nothing was run: {shown} {len(log):,} requests of {config.log.name}, with their own arrivals,"
        f" prompt tokens and answer lengths. vLLM's own scheduler ran step by step under a virtual clock."
        f" {cost.sentence}",
        f"Capacity is {studied.capacity_per_s:.3g} requests per second: what that engine gets through when the busiest"
        f" {window:,} consecutive requests all come at once, first come, first served.",
        f"Other loads are the same {window:,} requests, their arrivals stretched or squeezed; settings were tried with"
        f" them at {studied.sweep_load:.3g} × capacity. One order of requests each, no repeats.",
        "Above capacity the queue grows for as long as requests come, so the figures also depend on how long that is.",
        _ranking(config, tau),
        "The control is the lengths dealt out at random, once. Whether it gains is judged by its interval, since"
        " among few requests a single deal gains or loses by chance.",
        *oracle_patience(studied.answers, config.patience_s, " unless another one was tried"),
        *log.notes,
    ]


def ranking_delay(studied: Studied) -> str:
    """What ranking adds where least queues."""
    rated = studied.answers[studied.answers.load.notna()]
    load = float(rated.load.min())
    ttft_ms = 1000 * rated[rated.load == load].groupby("policy").ttft_s.median()
    return (
        f"At the lowest load ({load:g} × capacity) the median time to the first token is {figure(ttft_ms['pars'])} ms"
        f" with ranking and {figure(ttft_ms['fcfs'])} ms without; the figures contain the time that ranking takes."
    )


def _ranking(config: WhatIfConfig, tau: float) -> str:
    if config.ranker:
        return (
            f"PARS is the ranker {config.ranker}: tau-b {tau:.3f} on these prompts. If it was trained on them, this"
            f" page flatters it."
        )
    return (
        f"PARS is no ranker here but the true lengths with noise that leaves a tau-b of {config.tau:g}: train one on"
        f" this log and give it with ranker=, or give the tau-b that it reached with tau=."
    )


def _log_settings(studied: Studied, tau: float) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / SETTINGS_FILE
        studied.settings.to_parquet(path, index=False)
        mlflow.log_artifact(str(path))
    mlflow.log_metrics({"capacity_per_s": studied.capacity_per_s, "kendall_tau_b": tau})
    mlflow.log_metrics({"sweep_load": studied.sweep_load})
