"""`training/judging/baselines/baselines.py` and `training/judging/baselines/lexical.py`."""

import json
from pathlib import Path

import numpy as np
import pytest

from registry.errors import InvalidInput
from traffic.length_log import LengthLog, LengthLogSource, read_length_log
from training.judging.baselines.baselines import BASELINES, Baseline
from training.judging.baselines.lexical import FEATURES, LEADING_WORD, lexical_features
from training.judging.ranking_metrics import kendall_tau_b


@pytest.fixture(scope="module")
def log(workload_log: Path) -> LengthLog:
    return read_length_log(LengthLogSource(lengths=workload_log))


@pytest.mark.parametrize(
    ("name", "least_tau"),
    [
        ("prompt_length", -1),
        ("tfidf_ridge", 0.3),
        ("lexical_boosting", 0.3),
        ("feature_boosting", 0.3),
        ("template_mean", 0.2),
    ],
)
def test_a_baseline_orders_unseen_prompts_by_what_it_can_see(log: LengthLog, name: str, least_tau: float) -> None:
    test = log.part("test")
    scores = Baseline(name).fit(log.part("train")).score_all(test.prompts)
    assert scores.shape == (len(test),)
    assert kendall_tau_b(scores, test.output_tokens) > least_tau


def test_prompt_length_learns_which_way_length_points(tmp_path: Path) -> None:
    lines = [f'{{"prompt": "{"word " * words}", "output_tokens": {100 - words}}}' for words in range(1, 80)]
    (tmp_path / "log.jsonl").write_text("\n".join(lines))
    train = read_length_log(LengthLogSource(lengths=tmp_path / "log.jsonl")).part("train")
    short, long = Baseline("prompt_length").fit(train).score_all(["a word", "a word " * 20])
    assert short > long


def test_what_is_asked_for_is_seen_by_those_that_look(tmp_path: Path) -> None:
    efforts = {"none": 10, "low": 100, "high": 1000}
    rows = [
        {"prompt": f"question {i}", "output_tokens": tokens + i % 7, "reasoning": {"effort": effort}}
        for i, (effort, tokens) in enumerate([*efforts.items()] * 80)
    ]
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, rows)))
    log = read_length_log(LengthLogSource(lengths=tmp_path / "log.jsonl"))
    train, test = log.part("train"), log.part("test")
    taus = {
        name: kendall_tau_b(Baseline(name).fit(train).score_all(test.views), test.output_tokens) for name in BASELINES
    }
    assert taus["feature_boosting"] > 0.6 < taus["outlen_bucket"]
    assert max(taus[name] for name in ("prompt_length", "tfidf_ridge", "lexical_boosting", "template_mean")) < 0.4


@pytest.mark.parametrize("name", BASELINES)
def test_a_second_fit_forgets_the_first(log: LengthLog, name: str) -> None:
    few, prompts = log.part("train", 60), log.part("test").prompts
    refitted = Baseline(name).fit(log.part("train")).fit(few)
    np.testing.assert_array_equal(refitted.score_all(prompts), Baseline(name).fit(few).score_all(prompts))


def test_an_unknown_baseline_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"must be one of prompt_length, tfidf_ridge, .*outlen_bucket, but got 'x'"):
        Baseline("x")


def test_features_are_what_they_are_called() -> None:
    prompt = "Write 2 lists?\n- one, two\n1. `x = 35;`\nBriefly."
    (row,) = lexical_features([prompt])
    values = dict(zip(FEATURES, row.tolist(), strict=True))
    expected = {"characters": len(prompt), "words": 11, "lines": 4, "first_line_words": 3, "last_line_words": 1}
    expected |= {"digits": 4, "numbers": 3, "question_marks": 1, "commas": 1, "capitals": 2, "list_items": 2}
    expected |= {"code_marks": 2, "wants_short": 2, "wants_long": 0}
    assert {name: values[name] for name in expected} == expected


def test_the_leading_word_is_a_category_that_treebased_boosting_can_hold() -> None:
    write, shout, nothing, code = lexical_features(["Write it.", "Yodel it.", "1 + 1", '"Write" it'])[:, LEADING_WORD]
    assert write == code
    assert write > 0
    assert shout == nothing == 0
