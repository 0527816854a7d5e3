"""From a log of several target LLMs to a registered ranker of each, all on one encoder."""

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

import mlflow
import pandas as pd

from charts.chart import Bar, BarChart
from charts.picture import svg
from registry import store
from registry.artefact.files import ONNX_FILE, PLOTS_FOLDER
from registry.request_features import RequestView
from registry.runs.kept_folder import kept_unless_stored
from registry.runs.retrying import logged_or_lost, nested_run
from registry.runs.stored_run import stored_run
from registry.tracking import log_parameters
from training.artefact import ranker_plots
from training.artefact.export import Fitted, export_onnx, write_ranker
from training.config import TrainingConfig
from training.distilling.distil import distil
from training.distilling.instant_network import InstantNetwork
from training.fingerprint import settings_of
from training.fitting.checkpoint import claim
from training.fitting.curves import MlflowCurves
from training.fitting.fit import fit_examples
from training.judging.ranking_metrics import KENDALL_TAU_B
from training.logged_data import log_data
from training.network.examples import joined
from training.network.network_scores import network_scores
from training.several.targets import Target, read_targets
from training.train import TRAINING_S, TrainedRanker, started_from

TARGETS_TABLE = "targets.json"
TAU_CHART = f"{PLOTS_FOLDER}/kendall_tau_b_by_target.svg"


def train_several(config: TrainingConfig) -> list[TrainedRanker]:
    """Train one encoder for all of the config's `models` and register a ranker of each, in their order.

    One MLflow run with a nested one a target LLM, which holds its data, plots and version.

    Raises:
        InvalidInput: the log, the encoder or a setting is wrong; nothing was trained.
        RegistryError: a name belongs to another target LLM.
        MlflowFailure: MLflow fails: before anything was trained, or at the end, when a ranker is kept in a folder.
    """
    start_s = time.monotonic()
    with stored_run(f"train {', '.join(config.models)}") as run, TemporaryDirectory() as scratch:
        targets = read_targets(config)
        started = started_from(config)
        if config.checkpoint is not None:
            claim(config.checkpoint, settings_of(started, " ".join(one.log.digest for one in targets)))
        log_parameters(config)
        curves = MlflowCurves(run.info.run_id)
        networks = _fit(started, targets, curves, Path(scratch) / ONNX_FILE)
        trained = [_register(one, fitted) for one, fitted in zip(targets, networks, strict=True)]
        curves.finish()
        _log_summary(trained, time.monotonic() - start_s)
    return trained


def _fit(config: TrainingConfig, targets: Sequence[Target], curves: MlflowCurves, graph: Path) -> list[Fitted]:
    train = joined({one.name: one.splits.train for one in targets})
    validation = joined({one.name: one.splits.validation for one in targets})
    network, tokenizer = fit_examples(config, train, validation, [curves])
    export_onnx(network, graph)
    start_s = time.monotonic()
    views = _views_to_distil(targets)
    instants: list[InstantNetwork | None] = [None] * len(targets)
    if config.distil_epochs:
        scores = network_scores(config, network, tokenizer, views, "score prompts for the instant networks")
        instants = [distil(config, network, tokenizer, views, one.copy()) for one in scores.T]
    distil_s = time.monotonic() - start_s
    return [Fitted(network, tokenizer, instant, distil_s, head, graph) for head, instant in enumerate(instants)]


def _views_to_distil(targets: Sequence[Target]) -> list[RequestView]:
    """What the instant networks learn from: what any target LLM was asked, and the prompts without an answer.

    A prompt that trains one neither validates nor tests another, since that is decided by its hash.
    """
    views = (view for one in targets for view in (*one.splits.train.views, *one.splits.unlabelled))
    return list(dict.fromkeys(views))


def _register(target: Target, fitted: Fitted) -> TrainedRanker:
    with nested_run(f"train {target.config.ranker_target_llm}"):
        log_parameters(target.config)
        log_data(target.config, target.log, target.splits)
        with kept_unless_stored(target.name) as folder:
            result = write_ranker(folder, target.config, target.splits, fitted)
            ranker_plots.write_plots(result, folder / PLOTS_FOLDER)
            version = store.register(folder, target.config.store_retry_s)
    return TrainedRanker(target.name, version, result.metrics)


def _log_summary(trained: Sequence[TrainedRanker], training_s: float) -> None:
    """The mean tau of all, and each one's, as a table and as a chart."""
    taus = {one.name: one.metrics[KENDALL_TAU_B] for one in trained}
    table = pd.DataFrame([{"ranker": one.name, "version": one.version, **one.metrics} for one in trained])
    mean = fmean(taus.values())
    logged_or_lost(mlflow.log_metrics, {f"mean_{KENDALL_TAU_B}": mean, TRAINING_S: training_s})
    logged_or_lost(mlflow.log_table, table.astype(object), TARGETS_TABLE)  # MLflow 3.17 trips over pandas 3's str
    chart = BarChart(
        title=f"{len(taus)} target LLMs on one encoder",
        value_label="tau-b on test prompts",
        bars=tuple(Bar(name, tau, f"{tau:.3f}") for name, tau in taus.items()),
        says=f"Tau-b of {len(taus)} rankers; the mean is {mean:.3f}.",
    )
    logged_or_lost(mlflow.log_text, svg(chart), TAU_CHART)
