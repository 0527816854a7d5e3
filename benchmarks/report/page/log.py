"""What a report leaves in the active MLflow run: the page, its data and its figures."""

from itertools import chain
from math import isnan
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
import pandas as pd

from benchmarks.answers import ALONE, write_answers
from benchmarks.policies.titles import metric_prefix
from benchmarks.report.comparison import compare, figures_at
from benchmarks.report.goodput import goodputs
from benchmarks.report.page.chart_groups import chart_groups
from benchmarks.report.page.evidence import Evidence
from benchmarks.report.page.findings import find
from benchmarks.report.page.render import render
from charts.picture import file_name, svg
from registry.tracking import NOTE_TAG

PAGE_FILE = "report.html"
TABLE_FILE = "table.parquet"
CHARTS_FOLDER = "charts"


def log_page(evidence: Evidence) -> str:
    """Log the page, its charts and tables, the answers and metrics; return the headline and where the page is.

    Raises:
        InvalidInput: the answers cannot be compared.
    """
    table = compare(evidence.answers, evidence.objectives)
    with TemporaryDirectory() as folder:
        (Path(folder) / PAGE_FILE).write_text(render(evidence, table), encoding="utf-8")
        write_answers(evidence.answers, Path(folder))
        table.to_parquet(Path(folder) / TABLE_FILE, index=False)
        _write_charts(evidence, table, Path(folder) / CHARTS_FOLDER)
        mlflow.log_artifacts(folder)
    mlflow.log_metrics(_metrics(table))
    mlflow.log_metrics(_goodput_metrics(table))
    found = find(evidence, table)
    mlflow.set_tag(NOTE_TAG, found.headline)
    said = "\n".join([found.headline, *found.in_time])
    return f"{said}\nReport: {mlflow.artifacts.download_artifacts(mlflow.get_artifact_uri(PAGE_FILE))}"


def _write_charts(evidence: Evidence, table: pd.DataFrame, folder: Path) -> None:
    """Each chart as a picture of its own, for a slide or a message, in the order of the page."""
    folder.mkdir()
    for place, chart in enumerate(chain.from_iterable(chart_groups(evidence, table).values()), start=1):
        (folder / f"{place:02d}-{file_name(chart.title)}.svg").write_text(svg(chart), encoding="utf-8")


def _goodput_metrics(table: pd.DataFrame) -> dict[str, float]:
    """`POLICY.goodput_90` and so on, as multiples of capacity."""
    return {
        f"{metric_prefix(policy)}.{name}": value
        for policy, of_share in goodputs(table).items()
        for name, value in of_share.items()
        if not isnan(value)
    }


def _metrics(table: pd.DataFrame) -> dict[str, float]:
    """`POLICY.NAME`; of several loads `load_LOAD.POLICY.NAME` (`burst.POLICY.NAME` of the one without a rate).

    `alone.POLICY.NAME` is of requests that were sent one at a time.
    """
    metrics: dict[str, float] = {}
    is_only = table.load[table.load != ALONE].nunique(dropna=False) == 1
    for load in table.load.drop_duplicates():
        prefix = "" if is_only and load != ALONE else _prefix(load)
        for policy, row in figures_at(table, load).items():
            metrics |= {
                f"{prefix}{metric_prefix(policy)}.{name}": value for name, value in row.items() if not isnan(value)
            }
    return metrics


def _prefix(load: float) -> str:
    if load == ALONE:
        return "alone."
    return "burst." if isnan(load) else f"load_{load:.3g}."
