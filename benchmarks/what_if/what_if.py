"""From a log of served traffic to the report: what ordering would bring, and what to spend on."""

import logging
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
import numpy as np

from benchmarks.capacity import steady_requests_per_s
from benchmarks.failures import SimulationError
from benchmarks.policies.titles import load_title
from benchmarks.report.leak import baseline_of, leak
from benchmarks.report.notes import placements
from benchmarks.report.page.evidence import Evidence
from benchmarks.report.page.log import log_page
from benchmarks.what_if.advice import ALL_AT_ONCE, advise, engine_of_another
from benchmarks.what_if.config import WhatIfConfig
from benchmarks.what_if.placed import order_of_pars, placed
from benchmarks.what_if.placed_runs import Simulate
from benchmarks.what_if.provenance import provenance, ranking_delay
from benchmarks.what_if.setting_charts import setting_charts
from benchmarks.what_if.stretches import capacity_run, choose
from benchmarks.what_if.study import Studied, study
from registry.tracking import log_parameters
from serving.work.step_cost import StepCost
from traffic.served_log import read_long_log
from training.judging.ranking_metrics import kendall_tau_b

logger = logging.getLogger(__name__)

SETTINGS_FILE = "settings.parquet"


def run_what_if(config: WhatIfConfig, cost: StepCost, simulate: Simulate) -> str:
    """Simulate the log, log everything to the active MLflow run, and return the advice and where the report is.

    `cost` is what a step of the engine costs.

    Raises:
        InvalidInput: the log cannot be read, or a ranker is given and the log has no prompts.
        RegistryError, InvalidRanker: the ranker cannot be used.
        SimulationError: the control gained something.
    """
    logger.info("reading %s", config.log)
    log = read_long_log(config)
    log_parameters(config)
    fitting = log.traffic.that_fit(config.engine.longest_request)
    (burst,) = simulate([capacity_run(config, cost, fitting)])
    stretches = choose(config, cost, fitting, steady_requests_per_s(burst))
    logger.info("simulating %s of %s requests", f"{len(stretches.simulated):,}", f"{len(fitting):,}")
    pars, predicted = order_of_pars(config, cost, log, fitting, stretches.simulated)
    tau = _tau(config, predicted, fitting.output_tokens)
    config = replace(config, tau=min(max(tau, 0.0), 1.0))
    studied = study(config, cost, placed(config, cost, fitting, pars), stretches, simulate)
    evidence = Evidence(
        title=f"What if {config.log.name} were served shortest-predicted-first?",
        answers=studied.answers,
        provenance=tuple(provenance(config, fitting, studied, cost, tau)),
        settings=asdict(config),
        overhead=(ranking_delay(studied), *placements(studied.answers)),
        advice=advise(config, studied),
        next_step=engine_of_another(config),
        sweeps=setting_charts(studied) if studied.of_settings else (),
        sweeps_title=f"What would change it (at {studied.sweep_load:.3g} × capacity)",
        objectives=config,
        capacity_per_s=stretches.capacity_per_s,
        unrated=f"the log as it is, {load_title(stretches.log_load, ALL_AT_ONCE)}",
    )
    where = log_page(evidence)
    _log_settings(studied, tau)
    text = "\n".join([*evidence.advice, "", where])
    if (reason := leak(studied.unbroken, baseline_of("work" if config.is_by_work else "length"))) is not None:
        raise SimulationError(f"{text}\n{reason}")
    return text


def _tau(config: WhatIfConfig, predicted: np.ndarray, output_tokens: np.ndarray) -> float:
    """Of the ranker on the prompts that it ranked, or as given."""
    if not config.ranker:
        return config.tau
    ranked = ~np.isnan(predicted)
    return kendall_tau_b(predicted[ranked], output_tokens[ranked].astype(float))


def _log_settings(studied: Studied, tau: float) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / SETTINGS_FILE
        studied.settings.to_parquet(path, index=False)
        mlflow.log_artifact(str(path))
    stretches = studied.stretches
    mlflow.log_metrics({"capacity_per_s": stretches.capacity_per_s, "kendall_tau_b": tau})
    mlflow.log_metrics({"peak_load": stretches.peak_load, "busy_share": stretches.busy_share})
    if not np.isnan(studied.sweep_load):
        mlflow.log_metric("sweep_load", studied.sweep_load)
