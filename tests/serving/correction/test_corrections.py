"""`serving/correction/corrections.py` at the choke point: what answers become moves the places of later requests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from benchmarks.replay.own_server import server_settings
from serving.correction.corrections import Corrections
from serving.journal.keys import Keys
from tests.serving.journal.journals import Engine, Server, output, rows

TEN_WORDS = "one two three four five six seven eight nine ten"


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        self.now_s += 2
        return self.now_s


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    started = Server.start(tmp_path, Corrections(Keys("secret"), Clock()), journal="text")
    yield started
    started.close()


def chat(system: str, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "system", "content": system}, {"role": "user", "content": TEN_WORDS}], **more}


async def ask(server: Server, body: dict[str, Any], *outputs: Any, credential: str = "") -> None:
    engine = Engine(list(outputs)) if outputs else Engine()
    await server.serve(engine, body, path="/v1/chat/completions", credential=credential)


def corrections_of(server: Server, folder: Path) -> list[float]:
    server.close()
    return [row["correction"] for row in rows(folder)]


async def test_a_template_whose_answers_are_longer_is_placed_later(server: Server, tmp_path: Path) -> None:
    for _ in range(40):
        await ask(server, chat("Answer at length."), output((0, 60, "stop")))
        await ask(server, chat("Be brief."), output((0, 7, "stop")))
    await ask(server, chat("Be brief."))
    await ask(server, chat("Answer at length."))
    server.close()
    found = rows(tmp_path)
    assert found[0]["correction"] == 1
    assert found[-1]["correction"] > 2 > found[-2]["correction"]
    assert found[-1]["predicted_tokens"] == found[0]["predicted_tokens"], "the journal has what the ranker said"
    assert found[-1]["quantile"] > found[0]["quantile"]


async def test_long_answers_after_many_short_ones_gain_no_more_than_the_bound(server: Server, tmp_path: Path) -> None:
    for _ in range(200):
        await ask(server, chat("Mine."), output((0, 1, "stop")))
    for _ in range(15):
        await ask(server, chat("Mine."), output((0, 900, "stop")))
    server.close()
    found = rows(tmp_path)
    before, trained, caught = found[0], found[200], found[-1]
    assert trained["correction"] == pytest.approx(1 / 3)
    assert trained["quantile"] == pytest.approx(before["quantile"] / 3), "and so its place is a third of the right one"
    assert caught["correction"] > trained["correction"]


async def test_a_tenant_is_who_holds_the_key_whatever_a_body_says(server: Server, tmp_path: Path) -> None:
    for _ in range(40):
        await ask(server, chat("Help.", user="victim"), output((0, 300, "stop")), credential="Bearer greedy")
        await ask(server, chat("Help.", user="victim"), output((0, 7, "stop")), credential="Bearer victim")
    await ask(server, chat("Help.", user="victim"), credential="Bearer greedy")
    await ask(server, chat("Help.", user="victim"), credential="Bearer victim")
    greedy, victim = corrections_of(server, tmp_path)[-2:]
    assert greedy > 2 * victim


@pytest.mark.parametrize("outputs", [[output((0, 300, "length"))], [output((0, 300, None)), RuntimeError("it fails")]])
async def test_cut_and_failed_answers_count_as_at_least_so_long(
    outputs: list[Any], server: Server, tmp_path: Path
) -> None:
    for _ in range(20):
        try:
            await ask(server, chat("Help."), *outputs)
        except RuntimeError:
            continue
    await ask(server, chat("Help."))
    assert corrections_of(server, tmp_path)[-1] > 2


async def test_a_request_outlives_whatever_the_correction_does(tmp_path: Path) -> None:
    def broken_clock() -> float:
        raise ZeroDivisionError

    before = REGISTRY.get_sample_value("pars_correction_failures_total") or 0
    server = Server.start(tmp_path, Corrections(Keys("secret"), broken_clock), journal="text")
    for _ in range(2):
        await ask(server, chat("Help."))
    server.prioritiser.corrections.show()
    assert corrections_of(server, tmp_path) == [1, 1]
    assert (REGISTRY.get_sample_value("pars_correction_failures_total") or 0) > before


async def test_switched_off_every_factor_is_one(tmp_path: Path) -> None:
    server = Server.start(tmp_path, Corrections(None), journal="text")
    for _ in range(10):
        await ask(server, chat("Help."), output((0, 300, "stop")))
    assert set(corrections_of(server, tmp_path)) == {1}


def test_a_server_that_measures_corrects_nothing() -> None:
    assert server_settings("llm", None, None, 120)["PARS_CORRECTION"] == "off"


async def test_the_page_says_what_is_corrected(server: Server) -> None:
    for _ in range(40):
        await ask(server, chat("Help."), output((0, 300, "stop")))
    corrections = server.prioritiser.corrections
    corrections.show()
    name = next(iter(corrections.targets))
    assert (REGISTRY.get_sample_value("pars_correction", {"target_llm": name}) or 0) > 1.5
    assert REGISTRY.get_sample_value("pars_correction_origins", {"target_llm": name}) == 1
    assert REGISTRY.get_sample_value("pars_correction_at_bound_share", {"target_llm": name}) == 1
