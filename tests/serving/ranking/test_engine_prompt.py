"""The engine's prompts: their text and their tokens, in every form that vLLM has."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from serving.ranking.engine_prompt import prompt_tokens_of, text_of

IDS = [5, 6, 7]
ENCODER_DECODER = {"type": "enc_dec", "encoder_prompt": {"prompt_token_ids": IDS}}


@pytest.mark.parametrize(
    ("prompt", "text", "tokens"),
    [
        ("one two", "one two", None),
        (IDS, None, 3),
        ({"type": "token", "prompt_token_ids": IDS, "prompt": "one"}, "one", 3),
        ({"type": "token", "prompt_token_ids": IDS}, None, 3),
        ({"prompt_token_ids": IDS}, None, 3),
        ({"prompt": "one"}, "one", None),
        ({"type": "token", "prompt_token_ids": [], "prompt": ""}, "", 0),
        ({"type": "multimodal", "prompt_token_ids": IDS, "prompt": "an image"}, None, 3),
        ({"type": "embeds", "prompt_embeds": np.zeros((4, 2)), "prompt": "one"}, None, 4),
        ({"type": "embeds", "prompt_embeds": np.zeros((3, 2)), "prompt_token_ids": IDS}, None, 3),
        ({**ENCODER_DECODER, "decoder_prompt": {"prompt_token_ids": [1]}}, None, 4),
        ({**ENCODER_DECODER, "decoder_prompt": None}, None, 3),
        ({**ENCODER_DECODER, "decoder_prompt": "one"}, None, None),
        (SimpleNamespace(prompt_token_ids=IDS, prompt_embeds=None), None, 3),
        (SimpleNamespace(prompt_token_ids=5), None, None),
        (None, None, None),
        ({"type": "token", "prompt": 5}, None, None),
    ],
    ids=repr,
)
def test_text_and_tokens_of_each_form(prompt: Any, text: str | None, tokens: int | None) -> None:
    assert (text_of(prompt), prompt_tokens_of(prompt)) == (text, tokens)
