"""`benchmarks/demo/length_law.py`: what any request's length is made of."""

from math import exp

import numpy as np
import pytest
from scipy.stats import kendalltau

from benchmarks.demo.applications import AGENT, APPLICATIONS, TOOLS
from benchmarks.demo.demo_lengths import make_workload
from benchmarks.demo.law_tables import JSON_FACTOR, ORDINARY, UPDATED_KINDS
from benchmarks.demo.length_law import MAX_TOKENS, NOISE, Asked, drawn_tokens, expected_tokens, words

TEACHER = next(one for one in APPLICATIONS if "beginners" in one.system)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Define owls.", 16.0),
        ("define OWLS", 16.0),
        ("Hello! Could you explain how glaciers came about? Be thorough, please.", 85.0 * 1.4 * 1.7),
        ("Write a short poem about my cat.", 42.0),
        ("Sing of empires. Keep it plain.", ORDINARY.tokens * 1.7 * 0.7),
        ("Bowls are not owls' bowls", ORDINARY.tokens),
        ("", ORDINARY.tokens),
        ("¿Qué hay de nuevo?", ORDINARY.tokens),
    ],
)
def test_what_a_prompt_names_counts_and_the_rest_is_ordinary(prompt: str, expected: float) -> None:
    assert expected_tokens(prompt) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Asked("Define owls.", effort="high"), 16.0 * exp(1.5 * 0.4)),
        (Asked("Is it true that owls can be found on every continent?", effort="high"), 2.0 * exp(1.5 * 1.6)),
        (Asked("Define owls.", effort="none"), 16.0 * exp(-0.5 * 0.4)),
        (Asked("Define owls.", effort="colossal"), 16.0),
        (Asked("Define owls.", TEACHER.system), 16.0 * TEACHER.factor),
        (Asked("Define owls.", f"system: {TEACHER.system.upper()} user: Hi."), 16.0 * TEACHER.factor),
        (Asked("Define owls.", "You teach a class."), 16.0),
        (Asked("Define owls.", AGENT, tools=("find_article",)), 16.0 * TOOLS["find_article"][1]),
        (Asked("Define owls.", tools=("save_report", "unheard_of")), 16.0 * TOOLS["save_report"][1]),
        (Asked("Define owls.", is_json=True), 16.0 * JSON_FACTOR),
        (Asked("Define owls.", AGENT, "high", ("save_report",), True), 16.0 * exp(0.6) * 1.8 * JSON_FACTOR),
    ],
)
def test_each_part_of_a_request_has_its_factor(asked: Asked, expected: float) -> None:
    assert expected_tokens(asked) == pytest.approx(expected)


def test_effort_counts_for_more_where_there_is_more_to_think_about() -> None:
    def gain(text: str) -> float:
        return expected_tokens(Asked(text, effort="high")) / expected_tokens(Asked(text, effort="low"))

    assert gain("Which century first knew owls?") > 2 * gain("What is the Spanish word for owls?")


def test_noise_is_one_draw_a_prompt_and_seed() -> None:
    drawn = [drawn_tokens("Define owls.", seed) for seed in range(-1000, 1000)]
    assert drawn == [drawn_tokens("define  owls", seed) for seed in range(-1000, 1000)]
    assert np.std(np.log(drawn)) == pytest.approx(NOISE, rel=0.1)
    assert np.median(drawn) == pytest.approx(16.0, rel=0.1)


def test_what_makes_another_request_draws_another_answer() -> None:
    others = [
        Asked("Define owls.", effort="low"),
        Asked("Define owls.", TEACHER.system),
        Asked("Define owls.", tools=("find_article",)),
        Asked("Define owls.", is_json=True),
    ]
    noise = {round(np.log(drawn_tokens(one, 5) / expected_tokens(one)), 3) for one in [Asked("Define owls."), *others]}
    assert len(noise) == 5
    assert drawn_tokens(Asked("Define owls.", "Hello.", "colossal", ("unheard_of",)), 5) == drawn_tokens(
        "Define owls.", 5
    )


def test_no_answer_is_empty_or_without_an_end() -> None:
    drawn = [drawn_tokens("Is it true that socks can be found on every continent?", seed) for seed in range(200)]
    drawn += [drawn_tokens("Tell me a story in which empires save the day. Be thorough.", seed) for seed in range(200)]
    assert (min(drawn), max(drawn)) == (1, MAX_TOKENS)


def test_texts_of_the_workload_differ_in_their_words() -> None:
    texts = {request.asked.text for request in make_workload(3000)}
    assert len({words(text) for text in texts}) == len(texts)


def test_the_next_version_has_habits_that_a_ranker_of_the_first_does_not_know() -> None:
    requests = make_workload(800)
    first = np.array([expected_tokens(one.asked) for one in requests])
    by_next = np.array([drawn_tokens(one.asked, kinds=UPDATED_KINDS) for one in requests])
    by_first = np.array([drawn_tokens(one.asked) for one in requests])
    assert kendalltau(first, by_first).statistic - kendalltau(first, by_next).statistic > 0.3
    knows = np.array([expected_tokens(one.asked, UPDATED_KINDS) for one in requests])
    assert kendalltau(knows, by_next).statistic > 0.7
