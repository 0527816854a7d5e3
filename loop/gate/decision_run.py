"""The run that holds a decision, and what a version says of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from math import isfinite

import mlflow

from loop.gate.config import GateConfig
from loop.gate.judgement import Judged
from loop.gate.report import last_decision, paragraph, report, with_paragraph
from registry.promotion import GATE_REASON_TAG, GATE_RUN_TAG, GATE_TAG
from registry.runs.stored_run import stored_run
from registry.tracking import NOTE_TAG, log_parameters

MOST_TAG_LETTERS = 5000
"""What MLflow keeps of a tag."""
REPORT_FILE, DECISION_FILE = "gate/report.md", "gate/decision.json"


@contextmanager
def decision_run(config: GateConfig) -> Iterator[mlflow.ActiveRun]:
    """A run, in which the decision is made and moves the alias."""
    with stored_run(f"gate {config.target_llm}") as run:
        log_parameters(config)
        yield run


def log_decision(judged: Judged, run: mlflow.ActiveRun) -> None:
    """Log the decision to the active run: a page that the UI shows, figures, and what a program reads."""
    contest, decision, text = judged.contest, judged.decision, report(judged)
    verb = "promote" if decision.is_promoted else "do not promote"
    name = f"{verb} {contest.target_llm} to version {contest.challenger.version}"
    mlflow.MlflowClient().update_run(run.info.run_id, name=name)
    metrics = dict(judged.checked.metrics)
    for one in decision.findings:
        metrics[f"finding_{one.name}"] = float(one.is_met) if one.measured is None else one.measured
    mlflow.log_metrics({"is_promoted": float(decision.is_promoted)} | _finite(metrics))
    tags = {GATE_TAG: decision.outcome, "ranker": contest.challenger.uri, NOTE_TAG: text}
    if contest.champion is not None:
        tags["champion"] = contest.champion.uri
    mlflow.set_tags({name: value[:MOST_TAG_LETTERS] for name, value in tags.items()})
    mlflow.log_text(text, REPORT_FILE)
    mlflow.log_text(json.dumps(_record(judged), indent=2), DECISION_FILE)
    _log_charts(judged)


def note_on_version(judged: Judged, run: mlflow.ActiveRun) -> None:
    """Say on the version, and on its model, how the gate has decided and where that is written down."""
    client, contest, decision = mlflow.MlflowClient(), judged.contest, judged.decision
    where = contest.challenger.name, str(contest.challenger.version)
    tags = {GATE_TAG: decision.outcome, GATE_RUN_TAG: run.info.run_id, GATE_REASON_TAG: decision.sentence}
    for name, value in tags.items():
        client.set_model_version_tag(*where, name, value[:MOST_TAG_LETTERS])
    link = f"#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}"
    before = client.get_model_version(*where).description or ""
    client.update_model_version(*where, with_paragraph(before, paragraph(judged, link)))
    of_model = client.get_registered_model(contest.challenger.name).description or ""
    client.update_registered_model(contest.challenger.name, with_paragraph(of_model, last_decision(judged, link)))


def _record(judged: Judged) -> dict[str, object]:
    contest, decision = judged.contest, judged.decision
    return {
        "target_llm": contest.target_llm,
        "outcome": decision.outcome,
        "sentence": decision.sentence,
        "force": decision.force,
        "challenger": contest.challenger.version,
        "champion": None if contest.champion is None else contest.champion.version,
        "judged_on": judged.judged_on,
        "findings": [asdict(one) for one in decision.findings],
        "metrics": dict(judged.checked.metrics),
        "notes": judged.checked.notes,
    }


def _finite(metrics: dict[str, float]) -> dict[str, float]:
    """A server's database may refuse the others."""
    return {name: value for name, value in metrics.items() if isfinite(value)}


def _log_charts(judged: Judged) -> None:
    if not judged.checked.charts:
        return
    try:
        from charts.picture import svg  # draws, for which a server's image has nothing
    except ImportError:
        return
    for path, chart in judged.checked.charts.items():
        mlflow.log_text(svg(chart), path)
