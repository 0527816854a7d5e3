"""A collection that is killed again and again: what the endpoint was asked, what was recorded, what is asked anew."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tests.servers import PROJECT
from tests.traffic.collect.played_endpoint import PlayedEndpoint, played
from tests.traffic.logs import write
from traffic.collect.answer_folder import ANSWERS, AnswerFolder

CONCURRENCY = 8
ANSWER_S = 0.03
SAMPLES = 3
LIFE = f"""
import sys
from pathlib import Path
from traffic.collect.collect import collect
from traffic.collect.config import CollectConfig
prompts, url, out = sys.argv[1:]
print("begins", flush=True)
collect(CollectConfig(prompts=Path(prompts), base_url=url, out=Path(out), model="played-llm",
                      samples={SAMPLES}, concurrency={CONCURRENCY}))
"""


def begun(folder: Path, endpoint: PlayedEndpoint) -> "subprocess.Popen[bytes]":
    """A collector, once its imports are done."""
    process = subprocess.Popen(
        [sys.executable, "-c", LIFE, str(folder / "prompts.jsonl"), endpoint.url, str(folder / "out")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=PROJECT,
        start_new_session=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def wait_a_moment(
    chance: Random, endpoint: PlayedEndpoint, life: "subprocess.Popen[bytes]", until_it_asks: bool
) -> None:
    """Any moment from its start, or from its first request on."""
    before = endpoint.asked.total()
    while until_it_asks and endpoint.asked.total() == before and life.poll() is None:
        time.sleep(0.005)
    time.sleep(chance.uniform(0, 0.15 if until_it_asks else 0.5))


def ended(process: "subprocess.Popen[bytes]") -> int:
    assert process.stdout is not None
    code = process.wait(60)
    process.stdout.close()
    return code


def recorded(folder: Path) -> Counter[str]:
    return Counter(json.loads(line)["request_id"] for line in (folder / "out" / ANSWERS).read_text().splitlines())


def prepared(folder: Path, prompts: int) -> int:
    """Write so many prompts, and return how many requests they make."""
    write(folder / "prompts.jsonl", [{"prompt": f"question {number}"} for number in range(prompts)])
    return prompts * SAMPLES


@pytest.mark.parametrize(("kills", "prompts"), [(3, 100), pytest.param(20, 400, marks=pytest.mark.slow)])
def test_a_collector_killed_at_any_moment_loses_nothing_and_asks_nothing_twice(
    tmp_path: Path, kills: int, prompts: int
) -> None:
    requests = prepared(tmp_path, prompts)
    chance = Random(0)
    on_their_way = 0
    with played(PlayedEndpoint(answer_s=ANSWER_S)) as endpoint:
        for number in range(kills):
            life = begun(tmp_path, endpoint)
            wait_a_moment(chance, endpoint, life, until_it_asks=number % 4 > 0)
            on_their_way += endpoint.at_once > 0
            os.killpg(life.pid, signal.SIGKILL)
            assert ended(life) == -signal.SIGKILL
        assert ended(begun(tmp_path, endpoint)) == 0
    assert on_their_way >= kills // 3
    assert len(endpoint.asked) == requests
    assert set(endpoint.asked.values()) == {1}
    assert len(recorded(tmp_path)) == requests
    assert set(recorded(tmp_path).values()) == {1}


def test_where_the_asking_process_is_killed_too_only_what_was_on_its_way_is_asked_again(tmp_path: Path) -> None:
    requests = prepared(tmp_path, 100)
    chance = Random(1)
    asked_again = Counter[str]()
    with played(PlayedEndpoint(answer_s=ANSWER_S)) as endpoint:
        for _ in range(2):
            life = begun(tmp_path, endpoint)
            wait_a_moment(chance, endpoint, life, until_it_asks=True)
            for child in children(life.pid):
                os.kill(child, signal.SIGKILL)
            life.kill()
            ended(life)
            on_their_way = {one for one in endpoint.idempotency if one not in AnswerFolder(tmp_path / "out").settled()}
            assert len(on_their_way) <= CONCURRENCY
            asked_again.update(on_their_way)
        assert ended(begun(tmp_path, endpoint)) == 0
    assert set(recorded(tmp_path).values()) == {1}
    assert len(recorded(tmp_path)) == requests
    assert asked_again
    assert {one: times - 1 for one, times in endpoint.idempotency.items() if times > 1} == dict(asked_again)


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
