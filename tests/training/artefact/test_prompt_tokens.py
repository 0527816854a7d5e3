"""`training/artefact/prompt_tokens.py`: counts of the log where there are some, else the tokenizer's."""

from dataclasses import replace

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from traffic.labelled_prompts import LabelledPrompts
from training.artefact.prompt_tokens import joint_sample, prompt_tokens

PROMPTS = ("one", "one two", "one two three \ud800 " * 10)
PREDICTED = np.array([1.0, 2.0, 3.0])
NAN = float("nan")


@pytest.fixture
def tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(WordLevel({"?": 0}, unk_token="?"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.enable_truncation(2)  # as a ranker's own may be
    tokenizer.enable_padding(length=2)
    return tokenizer


def labelled(*tokens: float) -> LabelledPrompts:
    prompts = LabelledPrompts.of(PROMPTS, PREDICTED, np.zeros(3, dtype=np.bool_))
    return replace(prompts, prompt_tokens=np.array(tokens))


@pytest.mark.parametrize(
    ("in_log", "expected"),
    [
        ((7.0, 8.0, 9.0), [7, 8, 9]),
        ((NAN, NAN, NAN), [1, 2, 40]),
        ((3.0, 6.0, NAN), [3, 6, 120]),
    ],
    ids=["all known", "none known", "some known"],
)
def test_counts_of_the_log_come_first(tokenizer: Tokenizer, in_log: tuple[float, ...], expected: list[float]) -> None:
    assert prompt_tokens(labelled(*in_log), tokenizer).tolist() == expected


def test_pairs_are_weighted_by_how_often_each_prompt_came(tokenizer: Tokenizer) -> None:
    prompts = replace(labelled(7.0, 8.0, 9.0), occurrences=np.array([1, 2, 5]))
    joint = joint_sample(prompts, PREDICTED, tokenizer)
    assert (joint.prompt_tokens, joint.predicted_tokens, joint.shares) == ((7, 8, 9), (1, 2, 3), (0.125, 0.25, 0.625))
    characters = np.array([len(one) for one in PROMPTS])
    assert joint.tokens_per_character == pytest.approx((7 + 16 + 45) / (characters @ [1, 2, 5]))
