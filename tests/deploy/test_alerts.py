"""The alert rules: by promtool, and by a real Prometheus that scrapes a real server."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.prometheus_binaries import binary
from tests.servers import PROJECT, RunningServer, free_port

ALERTS = PROJECT / "deploy" / "alerts.yaml"
CASES = PROJECT / "tests" / "deploy" / "alert_cases.yaml"


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]


def promtool(*arguments: str) -> str:
    done = subprocess.run([binary("promtool"), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_rule_is_one_that_prometheus_takes() -> None:
    assert f"{len(rules())} rules found" in promtool("check", "rules", str(ALERTS))


def test_each_fault_raises_its_alert_and_a_server_that_is_well_none() -> None:
    assert "SUCCESS" in promtool("test", "rules", str(CASES))


def test_every_alert_has_a_case_and_says_what_to_do() -> None:
    cases = CASES.read_text(encoding="utf-8")
    for rule in rules():
        assert rule["alert"] in cases
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert all(rule["annotations"][part].strip() for part in ("summary", "description"))


@contextmanager
def prometheus(folder: Path, server: RunningServer) -> Iterator[httpx.Client]:
    """One that scrapes a server each second, with the alert rules."""
    port = free_port()
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s", "scrape_timeout": "1s"},
        "rule_files": [str(ALERTS)],
        "scrape_configs": [{"job_name": "pars", "static_configs": [{"targets": [server.url.removeprefix("http://")]}]}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    options = {
        "config.file": folder / "prometheus.yml",
        "storage.tsdb.path": folder / "data",
        "web.listen-address": f"127.0.0.1:{port}",
    }
    with (folder / "log.txt").open("wb") as log:
        command = [binary("prometheus"), *(f"--{name}={value}" for name, value in options.items())]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=10) as client:
                yield client
        finally:
            process.terminate()
            process.wait(30)


def until(is_so: Callable[[], Any], limit_s: float = 60) -> Any:
    """What a call returns, once that is something."""
    deadline_s = time.monotonic() + limit_s
    while True:
        try:
            if found := is_so():
                return found
        except httpx.HTTPError:  # it does not listen, or is not ready yet
            pass
        assert time.monotonic() < deadline_s
        time.sleep(0.2)


def told(client: httpx.Client, path: str, **params: str) -> Any:
    """What Prometheus answers."""
    return client.get(path, params=params).raise_for_status().json()["data"]


def judged(client: httpx.Client) -> list[dict[str, Any]]:
    """All rules, once each was evaluated."""
    found = [rule for group in told(client, "/rules")["groups"] for rule in group["rules"]]
    return found if all(rule["health"] != "unknown" for rule in found) else []


@pytest.mark.slow
async def test_real_prometheus_judges_every_rule_by_what_a_real_server_says(
    server: RunningServer, tmp_path: Path
) -> None:
    async with server.client() as client:
        body = {"model": "demo-llm", "prompt": [5, 6], "max_tokens": 2}  # no text: no tier can place it
        assert (await client.post("/v1/completions", json=body)).status_code == 200
    with prometheus(tmp_path, server) as asked:
        found = until(lambda: judged(asked))
        assert [
            (rule["name"], rule["lastError"]) for rule in found if rule["health"] != "ok" or rule.get("lastError")
        ] == []
        assert {rule["name"] for rule in found} == {rule["alert"] for rule in rules()}
        up = until(lambda: told(asked, "/query", query='up{job="pars"} == 1')["result"])
        assert len(up) == 1
        states = until(
            lambda: (
                (now := {rule["name"]: rule["state"] for rule in judged(asked)})["ParsChampionPassedNoGate"]
                != "inactive"
                and now
            )
        )
        assert states["ParsChampionPassedNoGate"] == "pending", "the tests' champion was promoted by hand"
        quiet = {name for name, state in states.items() if state == "inactive"}
        assert {"ParsNoRanker", "ParsServerAbsent", "ParsRankerDrifted", "ParsRegistryNotLookedAt"} <= quiet
        there = {one["__name__"] for one in told(asked, "/series", **{"match[]": '{job="pars"}'})}
    asked_for = {rule["alert"]: set(re.findall(r"pars_\w+", rule["expr"])) for rule in rules()}
    assert {alert: names - there for alert, names in asked_for.items() if names - there} == {}
