"""`traffic/split.py`."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from traffic.split import hash_of, split_of


def test_about_a_tenth_each_validates_and_tests() -> None:
    counts = Counter(split_of(f"prompt {number}") for number in range(20_000))
    assert 15_700 < counts["train"] < 16_300
    assert 1_800 < counts["validation"] < 2_200
    assert 1_800 < counts["test"] < 2_200


FIRST_TEN = ["train", "test", "validation", "test", "train", "test", "validation", "train", "train", "train"]


def test_split_of_a_prompt_never_changes() -> None:
    # A change here would move prompts from training to test between versions of the project.
    assert [split_of(f"prompt {number}") for number in range(10)] == FIRST_TEN


@given(st.text(), st.integers(0, 2**32))
def test_hash_is_a_number_of_64_bits_for_any_text(text: str, seed: int) -> None:
    assert 0 <= hash_of(text, seed) < 2**64


def test_seeds_draw_independently_of_the_split() -> None:
    drawn = sorted((f"prompt {number}" for number in range(5_000)), key=lambda prompt: hash_of(prompt, 0))[:1_000]
    assert {split_of(prompt) for prompt in drawn} == {"train", "validation", "test"}


def test_a_lone_surrogate_has_a_split() -> None:
    assert split_of("\ud83d") in {"train", "validation", "test"}
