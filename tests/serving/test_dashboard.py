"""The Grafana dashboard asks for nothing that is not on the real metrics page."""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from serving.drift.live_drift import ANSWERS_AT_ONCE
from tests.servers import PROJECT, RunningServer

DASHBOARD = PROJECT / "deploy" / "grafana-dashboard.json"
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
FUNCTIONS = {"sum", "max", "min", "by", "rate", "increase", "histogram_quantile", "time"}


def targets() -> Iterator[tuple[str, dict[str, Any]]]:
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target


def metrics_and_labels(query: str) -> dict[str, set[str]]:
    """Each metric that a query asks for, with the labels that it selects or groups by.

    A grouping is charged to every metric of its query, which is true of all that this dashboard holds.
    """
    grouped = {label.strip() for group in re.findall(r"by \(([^)]*)\)", query) for label in group.split(",")}
    bare = re.sub(r"by \([^)]*\)|\[[^\]]*\]", "", query)
    selected = {
        name: set(re.findall(rf"({NAME})\s*=", labels)) for name, labels in re.findall(rf"({NAME}){{([^}}]*)}}", bare)
    }
    names = set(re.findall(NAME, re.sub(r"{[^}]*}", "", bare))) - FUNCTIONS
    return {name: grouped | selected.get(name, set()) for name in names}


async def short_answer(client: httpx.AsyncClient, num_words: int) -> None:
    """One that ends by itself, after a few tokens."""
    prompt = f"Is it true that {'one ' * num_words} can be found on every continent?"
    response = await client.post("/v1/completions", json={"model": "demo-llm", "prompt": prompt, "max_tokens": 1000})
    assert response.json()["choices"][0]["finish_reason"] == "stop", response.text


@pytest.fixture(scope="module")
async def page(server: RunningServer) -> dict[str, set[str]]:
    """Names on the metrics page of a server that has served something, each with its labels."""
    async with server.client() as client:
        for prompt in ("hello", [5, 6]):
            body = {"model": "demo-llm", "prompt": prompt, "max_tokens": 2}
            assert (await client.post("/v1/completions", json=body)).status_code == 200
        await asyncio.gather(*(short_answer(client, number) for number in range(ANSWERS_AT_ONCE)))
        async with asyncio.timeout(60):
            while "\npars_kendall_tau_b{" not in (text := (await client.get("/metrics")).text):
                await asyncio.sleep(0.1)
    labels: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
    return labels


def test_query_is_taken_apart() -> None:
    query = 'sum by (le, a) (rate(x_bucket{b=~"c|d", e="f"}[$__rate_interval])) / max(vllm:y) - time()'
    assert metrics_and_labels(query) == {"x_bucket": {"le", "a", "b", "e"}, "vllm:y": {"le", "a"}}


@pytest.mark.parametrize(
    ("title", "target"), list(targets()), ids=lambda value: value if isinstance(value, str) else ""
)
async def test_every_metric_and_label_of_the_dashboard_is_on_the_page(
    page: dict[str, set[str]], title: str, target: dict[str, Any]
) -> None:
    asked = metrics_and_labels(target["expr"])
    assert asked
    for name, labels in asked.items():
        assert name in page
        assert labels <= page[name], f"{name} has the labels {sorted(page[name])}"
    legend = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
    assert legend <= set().union(*asked.values())


async def test_every_metric_of_ours_is_in_the_dashboard(page: dict[str, set[str]]) -> None:
    asked = {name for _, target in targets() for name in metrics_and_labels(target["expr"])}
    families = {re.sub(r"_(bucket|count|sum|total|created)$", "", name) for name in asked}
    ours = {re.sub(r"_(bucket|count|sum|total|created)$", "", name) for name in page if name.startswith("pars_")}
    assert ours <= families


def test_each_panel_has_its_own_place() -> None:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len(places)
