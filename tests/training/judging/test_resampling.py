"""`training/judging/resampling.py`."""

import json
from pathlib import Path

import numpy as np
import pytest

from registry.order.certain_pairs import Values
from registry.request_features import view_of
from traffic.length_log import LengthLogSource, read_length_log
from training.judging.ranking_metrics import kendall_tau_b
from training.judging.resampling import one_sample_tau_b, read_samples, resampling_tau_b, tau_b_limit


def simulated(noise: float, num_prompts: int = 2000, samples: int = 2, seed: int = 0) -> tuple[Values, Values]:
    """Log-normal prompts [prompts] and noisy answers [prompts, samples], in whole tokens as in a log."""
    rng = np.random.default_rng(seed)
    own = 4 + rng.normal(size=num_prompts)
    answers = np.exp(own[:, None] + noise * rng.normal(size=(num_prompts, samples)))
    return own, np.maximum(1, np.rint(answers))


@pytest.mark.parametrize(("noise", "samples"), [(0.3, 2), (0.6, 2), (0.6, 4), (1.0, 2), (2.0, 2)])
def test_the_limit_is_what_a_perfect_ranker_reaches_against_one_answer(noise: float, samples: int) -> None:
    own, answers = simulated(noise, num_prompts=20_000, samples=samples)
    resampling = resampling_tau_b(list(answers))
    assert resampling is not None
    reached = np.mean([kendall_tau_b(own, answers[:, sample]) for sample in range(samples)])
    assert tau_b_limit(resampling.tau_b) == pytest.approx(reached, abs=0.02)
    assert resampling.tau_b + 0.03 < reached  # without the correction it would be wrong


def test_a_perfect_ranker_s_own_tau_against_one_answer_is_at_the_limit() -> None:
    own, answers = simulated(0.6)
    samples = {str(index): one for index, one in enumerate(answers)}
    scores = {str(index): float(one) for index, one in enumerate(own)}
    resampling = resampling_tau_b(list(answers), seed=0)
    assert resampling is not None
    assert one_sample_tau_b(scores, samples) == pytest.approx(tau_b_limit(resampling.tau_b), abs=0.02)


def test_the_limit_rises_from_nothing_to_certainty() -> None:
    # sin 30 degrees is 1/2 and sin 45 its root; sin 60 is the root of 3/4.
    taus = [-0.5, 0.0, 1 / 3, 2 / np.pi * np.arcsin(3 / 4), 1.0]
    assert [tau_b_limit(tau) for tau in taus] == pytest.approx([0, 0, 1 / 2, 2 / 3, 1])


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    truth = 2 / np.pi * np.arcsin(1 / (1 + 0.6**2))
    found = [resampling_tau_b(list(simulated(0.6, 100, seed=seed)[1])) for seed in range(30)]
    intervals = [one for one in found if one is not None]
    assert 26 <= sum(one.low < truth < one.high for one in intervals) <= 30
    assert 0.15 < np.mean([one.high - one.low for one in intervals]) < 0.3
    one = intervals[0].metrics
    assert one["tau_b_limit_low"] < one["tau_b_limit"] < one["tau_b_limit_high"]


def test_prompts_that_were_answered_once_are_left_out() -> None:
    samples = [np.array([1.0, 1.0]), np.array([2.0, 2.0, 2.0]), np.array([9.0])]
    resampling = resampling_tau_b(samples, seed=0)
    assert resampling is not None
    assert (resampling.prompts, resampling.tau_b) == (2, 1)
    assert "2 of the test prompts were answered at least twice" in resampling.sentence
    assert resampling_tau_b(samples[1:]) is None


def test_samples_are_those_whose_median_is_the_label(tmp_path: Path) -> None:
    lengths = {"a": [3, 9, 4], "b": [7], "c": [1, 2]}
    rows = [{"prompt": prompt, "output_tokens": one} for prompt, several in lengths.items() for one in several]
    rows += [{"prompt": "a", "output_tokens": 50, "max_tokens": 50}]  # another request
    rows += [{"prompt": "a", "output_tokens": None}, {"prompt": "a", "output_tokens": 0}]
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, rows)))
    source = LengthLogSource(lengths=tmp_path / "log.jsonl")
    log = read_length_log(source)
    samples = read_samples(source, log)
    capped = view_of("a", {"max_tokens": 50})
    expected = {view_of(prompt, {}): one for prompt, one in lengths.items()} | {capped: [50]}
    assert {view: one.tolist() for view, one in samples.items()} == expected
    assert [np.median(samples[view]) for view in log.views] == log.output_tokens.tolist()
    assert list(read_samples(source, log.take([log.views.index(capped)]))) == [capped]
