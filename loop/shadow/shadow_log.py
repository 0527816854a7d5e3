"""What a shadow leaves in its MLflow run: tables, metrics, tags and the report; no text of a request."""

from collections.abc import Iterator
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
import pandas as pd

from charts.picture import file_name, svg
from loop.shadow.rolling_tau import table
from loop.shadow.shadow_report import ShadowReport, moment
from loop.shadow.side_by_side import SideBySide
from registry.store import CHALLENGER, CHAMPION
from registry.tracking import NOTE_TAG

FOLDER = "shadow"


def log_shadow(report: ShadowReport) -> None:
    """Log it to the active run, without the page."""
    found, simulation = report.found, report.simulation
    _log_rolling(found)
    # As objects: MLflow 3.17 trips over the str columns of pandas 3.
    for name, rows in (("groups", list(_groups(report))), ("requests", list(_requests(found)))):
        if rows:
            mlflow.log_table(pd.DataFrame(rows).astype(object), f"{FOLDER}/{name}.json")
    for tier in found.of_tiers:
        mlflow.log_metrics(tier.metrics)
    mlflow.log_metric("requests", len(found.requests))
    if simulation is not None:
        mlflow.log_metrics({f"simulated_gain_{name}": value for name, value in simulation.gain._asdict().items()})
    said = "\n\n".join(report.sentences)
    tags = {one.who: one.uri for one in report.rivals} | {"data_digest": found.requests.digest}
    mlflow.set_tags(tags | {NOTE_TAG: said})
    mlflow.log_text(said + "\n", "report.txt")


def log_charts(report: ShadowReport) -> None:
    """Log the charts alone, where there is no page that shows them."""
    for chart in report.charts:
        mlflow.log_text(svg(chart), f"{FOLDER}/{file_name(chart.title)}.svg")


def _log_rolling(found: SideBySide) -> None:
    with TemporaryDirectory() as folder:
        for name, by_tier in (("by_answers", found.by_answers), ("by_time", found.by_time)):
            rows = pd.concat([table(points).assign(tier=tier) for tier, points in by_tier.items()], ignore_index=True)
            rows.to_parquet(Path(folder) / f"{name}.parquet", index=False)
        mlflow.log_artifacts(folder, FOLDER)


def _groups(report: ShadowReport) -> Iterator[dict[str, object]]:
    for one in report.groups:
        values = {name: value for name, value in asdict(one).items() if name != "difference"}
        yield values | one.difference._asdict() | {"is_sure": one.is_sure}


def _requests(found: SideBySide) -> Iterator[dict[str, object]]:
    """Single requests on which the two differ, by their ids and lengths."""
    requests, tier = found.requests, found.tiers[0]
    for one in found.differing_requests:
        at_s = float(requests.arrival_s[one.place])
        yield {
            "request_id": requests.request_ids[one.place] if requests.request_ids else None,
            "arrived": moment(at_s) if isfinite(at_s) else None,
            "output_tokens": int(requests.output_tokens[one.place]),
            "is_censored": bool(requests.is_censored[one.place]),
            **{f"{who}_tokens": float(found.scores[who].tokens[tier][one.place]) for who in (CHAMPION, CHALLENGER)},
            "champion_right_pairs": one.champion,
            "challenger_right_pairs": one.challenger,
        }
