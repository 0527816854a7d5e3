"""`traffic/notes/unknown_tokens.py`."""

import pytest
from tokenizers import Tokenizer

from traffic.cells.answer_tokens import load_tokenizer
from traffic.notes.encoders import DEFAULT_ENCODER, encoder_path
from traffic.notes.unknown_tokens import unknown_note, unknown_share


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return load_tokenizer(encoder_path(DEFAULT_ENCODER))


def test_the_share_of_unknown_words_is_said_with_an_encoder_to_give(tokenizer: Tokenizer) -> None:
    assert unknown_share(["word สวัสดี", "word word"], tokenizer) == 0.25
    note = unknown_note(["word สวัสดี", "word word"], tokenizer, "mine")
    assert note is not None
    assert "25% of the prompts' tokens are [UNK] to the encoder mine" in note
    assert "encoder=sentence-transformers/" in note


@pytest.mark.parametrize("prompts", [[], [""], ["Explain owls.", "Was ist das?"]])
def test_nothing_is_said_where_all_is_known(tokenizer: Tokenizer, prompts: list[str]) -> None:
    assert unknown_note(prompts, tokenizer, "mine") is None
