"""What the metrics page says while a server answers."""

import time
from collections.abc import Callable, Iterator
from math import isnan
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import REGISTRY

from registry.artefact.card import RankerCard
from serving.drift.live_drift import ANSWERS_AT_ONCE, LiveDrift
from tests.rankers import write_ranker
from tests.serving.fakes import DEMO_NAME
from tests.serving.journal.journals import Engine, Server, output


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, {"target_llm": "demo-llm", **labels}) or 0.0


def wait_for(name: str, expected: float, **labels: str) -> None:
    wait_until(lambda: value(name, **labels) == pytest.approx(expected))


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


@pytest.fixture
def card(tmp_path: Path) -> RankerCard:
    metrics = {"kendall_tau_b": 0.9, "instant_kendall_tau_b": 0.8}
    return RankerCard.read(write_ranker(tmp_path / "ranker", instant_weight=1.0, metrics=metrics))


@pytest.fixture
def digest() -> list[str]:
    """That of the ranker that is served."""
    return [DEMO_NAME.digest]


@pytest.fixture
def server(tmp_path: Path, card: RankerCard, digest: list[str]) -> Iterator[Server]:
    drift = LiveDrift(lambda _, asked: card if asked == digest[0] else None, clock_s=lambda: 1234.0)
    started = Server.start(tmp_path / "journal", drift=drift, journal="off")
    yield started
    started.close()
    drift.close()


async def ask(server: Server, words: int, tokens: int, reason: str | None = "stop", times: int = 1) -> None:
    engine = Engine([output((0, tokens, reason))])
    await server.serve(engine, {"prompt": "word " * words}, prompt="word " * words, stop_after=times)


async def test_order_that_turns_round_raises_an_alarm(server: Server, card: RankerCard, digest: list[str]) -> None:
    lengths = np.random.default_rng(0).integers(1, 40, 6 * ANSWERS_AT_ONCE).tolist()
    for number, words in enumerate(lengths):
        await ask(server, words, words)
        if number + 1 == ANSWERS_AT_ONCE:
            wait_for("pars_kendall_tau_b", 1)
            wait_for("pars_static_gain", 1)
            assert value("pars_drift_reference", what="kendall_tau_b") == pytest.approx(0.8), "of the instant tier"
            assert value("pars_drift_alarm", what="kendall_tau_b") == 0
            assert isnan(value("pars_places_stability_index")), "so few say nothing"
    wait_until(lambda: value("pars_places_stability_index") > 0.25)  # few are as long as the card's
    for words in lengths:
        await ask(server, words, 41 - words)
    wait_for("pars_drift_alarm", 1, what="kendall_tau_b")
    wait_for("pars_drift_alarm_since_seconds", 1234, what="kendall_tau_b")
    wait_until(lambda: value("pars_kendall_tau_b") < 0.5)
    digest[0] = "1" * 64
    for words in lengths:
        await ask(server, words, words)
    assert value("pars_drift_alarm", what="kendall_tau_b") == 1, "answers of a ranker that was replaced say nothing"


async def test_answer_that_its_client_leaves_counts_as_far_as_it_is_certain(server: Server) -> None:
    for words in range(1, ANSWERS_AT_ONCE):
        await ask(server, words, words)
    await ask(server, 1, 3, reason=None)
    pairs = ANSWERS_AT_ONCE * (ANSWERS_AT_ONCE - 1) / 2
    certain = pairs - (ANSWERS_AT_ONCE - 1 - 3)
    wait_for("pars_kendall_tau_b", (certain - 1 - 2 * 2) / np.sqrt((certain - 1) * certain))


async def test_failure_of_the_watch_costs_no_answer(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(LiveDrift, "_put_aside", broken)
    await ask(server, 3, 3)
