"""Hold a journal's answers against the card of the ranker that placed them, and leave what was found in MLflow."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
from mlflow.entities import Metric

from charts.picture import file_name, svg
from loop.fresh.fresh_requests import FreshRequests, read_fresh
from loop.watch.config import WatchConfig
from loop.watch.watch_charts import watch_charts
from loop.watch.watch_report import findings, gate_finding
from loop.watch.watched_stretch import Stretch, is_ranked, stretches
from registry import store, watch
from registry.artefact.card import InvalidRanker, RankerCard
from registry.errors import InvalidInput, UserError
from registry.secrets import without_passwords
from registry.tracking import NOTE_TAG, log_parameters

logger = logging.getLogger(__name__)

CHARTS_FOLDER, FINDINGS_FILE = "charts", "findings.md"
MOST_METRICS_AT_ONCE = 1000
"""That MLflow takes in one call."""


class AlarmStands(UserError, RuntimeError):
    """A ranker is not what its card says, and the caller wants to hear of it by the exit code."""


def run_watch(config: WatchConfig, clock_s: Callable[[], float] = time.time) -> tuple[str, bool]:
    """Watch in the active run; what was found, as text, and whether an alarm stands.

    Raises:
        InvalidInput: there is no log, or it holds no answer that a registered ranker had placed.
    """
    log_parameters(config)
    requests = read_fresh(config, needs_texts=False)
    cards = Cards()
    watched = stretches(requests, cards.of)
    if not watched:
        raise InvalidInput(_nothing_to_watch(requests, cards.notes, config))
    unranked = unranked_shares(requests)
    last = watched[-1]
    said = findings(watched, unranked, requests.where)
    said += [*_gate(config.target_llm, last), *cards.notes, *requests.notes]
    text = "\n".join(said)
    _log(watched, unranked, text)
    _tag_model(config.target_llm, watch.watch_state(last.drift.alarms), clock_s())
    return text, bool(last.drift.alarms)


class Cards:
    """The cards of rankers by their addresses in the registry; which cannot be had is noted, once each."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._found: dict[str, RankerCard | None] = {}

    def of(self, version: str) -> RankerCard | None:
        """The card of a version; None if it cannot be had."""
        if version not in self._found:
            self._found[version] = self._read(version)
        return self._found[version]

    def _read(self, version: str) -> RankerCard | None:
        try:
            return watch.card_of(version)
        except (store.RegistryError, InvalidRanker) as error:
            self.notes.append(f"What {version} had placed is left out, since its card cannot be read: {error}")
            return None


def unranked_shares(requests: FreshRequests) -> dict[str, float]:
    """Of all answers, the share that no tier had placed, by the reason that the server noted, else by who placed it."""
    reasons = Counter(
        requests.fail_open_reason[place] or requests.placed_by[place] or "not noted"
        for place in range(len(requests))
        if not is_ranked(requests, place)
    )
    return {reason: count / len(requests) for reason, count in reasons.items()}


def _nothing_to_watch(requests: FreshRequests, notes: Sequence[str], config: WatchConfig) -> str:
    return (
        f"the watch needs answers that a registered ranker had placed, but of {requests.where} none is; give the folder"
        f" of the journal of a server that ranks {config.target_llm} (PARS_JOURNAL). " + " ".join(notes)
    ).rstrip()


def _gate(target_llm: str, last: Stretch) -> list[str]:
    try:
        return gate_finding(watch.look(target_llm).champion, last)
    except Exception as error:  # MLflow lets through what its HTTP or database library raises
        return [f"The registry does not say which version is the champion: {without_passwords(error)}"]


def _log(watched: Sequence[Stretch], unranked: dict[str, float], text: str) -> None:
    last = watched[-1]
    mlflow.set_tags({watch.WATCH_TAG: watch.watch_state(last.drift.alarms), "ranker": last.version, NOTE_TAG: text})
    mlflow.log_metrics({f"unranked_{reason}": share for reason, share in unranked.items()})
    mlflow.log_metrics({"alarms": float(len(last.drift.alarms)), "answers": float(last.drift.num_answers)})
    _log_series(last)
    with TemporaryDirectory() as folder:
        for chart in watch_charts(watched, unranked):
            (Path(folder) / f"{file_name(chart.title)}.svg").write_text(svg(chart), encoding="utf-8")
        mlflow.log_artifacts(folder, CHARTS_FOLDER)
    mlflow.log_text(text + "\n", FINDINGS_FILE)


def _log_series(stretch: Stretch) -> None:
    """The rolling figures, as lines that MLflow draws too: a step is an answer."""
    now_ms = int(time.time() * 1000)
    series = [
        Metric(name, value, now_ms, point.block.end)
        for point in stretch.points
        for name, value in {
            "kendall_tau_b": point.rolling.kendall_tau_b,
            "static_gain": point.rolling.static_gain,
            "calibration": point.rolling.calibration,
            "stability_index": point.stability_index,
            "correction": point.correction,
        }.items()
        if isfinite(value)
    ]
    run = mlflow.active_run()
    assert run is not None, "series belong to a run"
    for start in range(0, len(series), MOST_METRICS_AT_ONCE):
        mlflow.MlflowClient().log_batch(run.info.run_id, metrics=series[start : start + MOST_METRICS_AT_ONCE])


def _tag_model(target_llm: str, state: str, now_s: float) -> None:
    try:
        store.tag_model(target_llm, watch.WATCH_TAG, state)
        store.tag_model(
            target_llm, watch.WATCH_AT_TAG, datetime.fromtimestamp(now_s, UTC).isoformat(timespec="seconds")
        )
    except Exception as error:  # MLflow lets through what its HTTP or database library raises
        logger.warning("The registered model does not say what was found: %s", without_passwords(error))
