"""`benchmarks/demo/length_law.py`: what any prompt's length is made of."""

import numpy as np
import pytest

from benchmarks.demo.demo_lengths import make_workload
from benchmarks.demo.length_law import MAX_TOKENS, NOISE, ORDINARY_TOKENS, drawn_tokens, expected_tokens, words


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Define owls.", 16.0),
        ("define OWLS", 16.0),
        ("Hello! Could you explain how glaciers came about? Be thorough, please.", 85.0 * 1.4 * 1.7),
        ("Write a short poem about my cat.", 42.0),
        ("Sing of empires. Keep it plain.", ORDINARY_TOKENS * 1.7 * 0.7),
        ("Bowls are not owls' bowls", ORDINARY_TOKENS),
        ("", ORDINARY_TOKENS),
        ("¿Qué hay de nuevo?", ORDINARY_TOKENS),
    ],
)
def test_what_a_prompt_names_counts_and_the_rest_is_ordinary(prompt: str, expected: float) -> None:
    assert expected_tokens(prompt) == pytest.approx(expected)


def test_noise_is_one_draw_a_prompt_and_seed() -> None:
    drawn = [drawn_tokens("Define owls.", seed) for seed in range(-1000, 1000)]
    assert drawn == [drawn_tokens("define  owls", seed) for seed in range(-1000, 1000)]
    assert np.std(np.log(drawn)) == pytest.approx(NOISE, rel=0.1)
    assert np.median(drawn) == pytest.approx(16.0, rel=0.1)


def test_no_answer_is_empty_or_without_an_end() -> None:
    drawn = [drawn_tokens("Is it true that socks can be found on every continent?", seed) for seed in range(200)]
    drawn += [drawn_tokens("Tell me a story in which empires save the day. Be thorough.", seed) for seed in range(200)]
    assert (min(drawn), max(drawn)) == (1, MAX_TOKENS)


def test_prompts_of_the_workload_differ_in_their_words() -> None:
    prompts = [row.prompt for row in make_workload(3680)]
    assert len({words(prompt) for prompt in prompts}) == len(prompts)
