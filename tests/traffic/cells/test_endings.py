"""`traffic/cells/endings.py`."""

import json
from typing import Any

import pytest

from traffic.cells.endings import UNSAID, Ending, ending_of

CUT = [
    *("length", "LENGTH", "max_tokens", "MAX_TOKENS", "maxTokens", "max_output_tokens", "max_completion_tokens"),
    *("incomplete", "model_length", "model_context_window_exceeded", "FinishReason.MAX_TOKENS", "token_limit"),
    *("FINISH_REASON_MAX_TOKENS", "max-new-tokens", "context_length_exceeded", "ERROR_LIMIT", "limit", "truncated"),
]
ABORTED = [
    *("abort", "aborted", "cancelled", "canceled", "error", "timeout", "TIMED_OUT", "content_filter", "SAFETY"),
    *("USER_CANCEL", "client_disconnected", "failed", "expired", "guardrail_intervened", "refusal"),
]
ENDED = [
    *("stop", "STOP", "eos", "eos_token", "end_turn", "stop_sequence", "tool_calls", "tool_use", "function_call"),
    *("COMPLETE", "completed", "FINISHED", "END_ID", "stop_words", "FinishReason.STOP", "endoftext"),
]
KNOWN = [(word, "cut") for word in CUT] + [(word, "aborted") for word in ABORTED] + [(word, "ended") for word in ENDED]


@pytest.mark.parametrize(("word", "ending"), KNOWN)
def test_a_word_is_read_in_every_form(word: str, ending: Ending) -> None:
    forms: list[Any] = [word, f" {word}", [word], {"type": word}, {"reason": word}, [{"type": word, "length": 8}]]
    forms += [json.dumps(form) for form in forms]
    assert {ending_of(form)[:3] for form in forms} == {(ending, True, None)}


@pytest.mark.parametrize("value", [None, float("nan"), "", "null", "other", [], {}, {"type": None}, [None], "[]", "{}"])
def test_nothing_said_counts_as_ended(value: Any) -> None:
    assert ending_of(value) == UNSAID


@pytest.mark.parametrize("value", ["hit the wall", ["hit the wall"], {"type": "hit the wall"}])
def test_an_unknown_word_is_named_and_counts_as_ended(value: Any) -> None:
    assert ending_of(value) == ("ended", True, "hit the wall")


def test_of_several_choices_the_cut_one_counts() -> None:
    assert ending_of(["stop", "length"]).ending == "cut"
    assert ending_of(["stop", "abort"]).ending == "aborted"
    assert ending_of([None, "stop"]) == ("ended", True, None)


@pytest.mark.parametrize("value", ["{broken", "[", 7, True])
def test_what_is_no_word_is_named(value: Any) -> None:
    assert ending_of(value).unknown_word == str(value)
