"""`traffic/notes/cut_prompts.py`."""

import pytest
from tokenizers import Tokenizer

from registry.window.token_window import TokenWindow
from traffic.cells.answer_tokens import load_tokenizer
from traffic.notes.cut_prompts import cut_note, cut_share
from traffic.notes.encoders import DEFAULT_ENCODER, encoder_path

MOST = 16


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return load_tokenizer(encoder_path(DEFAULT_ENCODER))


@pytest.mark.parametrize("words", [MOST - 3, MOST - 2, MOST - 1, MOST, 100 * MOST])
def test_a_prompt_counts_once_the_window_leaves_some_of_it_out(tokenizer: Tokenizer, words: int) -> None:
    prompt = " ".join(["word"] * words)
    is_read_whole = len(TokenWindow(tokenizer, MOST).ids(prompt)) == len(tokenizer.encode(prompt).ids)
    assert cut_share([prompt], tokenizer, MOST) == (0 if is_read_whole else 1)


def test_the_share_is_said_with_what_to_try(tokenizer: Tokenizer) -> None:
    note = cut_note(["word " * 40, "word", "", "two words"], tokenizer, MOST)
    assert note is not None
    assert note.startswith("25% of the prompts are longer than the 16 tokens that the ranker reads")
    assert "a larger max_tokens" in note


@pytest.mark.parametrize("prompts", [[], [""], [*["word"] * 9, "word " * 40]])
def test_nothing_is_said_where_few_are_cut(tokenizer: Tokenizer, prompts: list[str]) -> None:
    assert cut_note(prompts, tokenizer, MOST) is None
