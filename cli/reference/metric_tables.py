"""The metrics, as the Prometheus client knows them."""

from collections.abc import Iterator
from importlib import import_module

from prometheus_client.metrics import MetricWrapperBase

from cli.reference.site_table import code, table

MODULES = (
    "serving.metrics",
    "serving.outcomes",
    "serving.drift.drift_gauges",
    "serving.champion.yesterday_line",
    "serving.http.request_metrics",
)
"""Where metrics are made."""


def metrics() -> str:
    """All families of ours, by name."""
    return table(("metric", "kind", "labels", "meaning"), sorted(row for module in MODULES for row in _rows(module)))


def _rows(module: str) -> Iterator[tuple[str, str, str, str]]:
    for metric in vars(import_module(module)).values():
        if isinstance(metric, MetricWrapperBase):
            (family,) = metric.describe()
            name = f"{family.name}_total" if family.type == "counter" else family.name
            # The client has no public word for the labels of what was never counted.
            yield code(name), family.type, ", ".join(map(code, metric._labelnames)), family.documentation
