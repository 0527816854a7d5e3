"""What vLLM's engine is given as a prompt, in any of its forms: the text in it, and how many tokens it has. Pure."""

from collections.abc import Mapping
from typing import Any

PARTS = ("encoder_prompt", "decoder_prompt")
"""Of a prompt for an encoder-decoder model, which computes both."""


def text_of(prompt: Any) -> str | None:
    """The text of a prompt that is nothing else: token ids, embeddings and media can't be ranked."""
    if isinstance(prompt, str):
        return prompt
    if not isinstance(prompt, Mapping) or prompt.get("type", "token") != "token":
        return None
    text = prompt.get("prompt")
    return text if isinstance(text, str) else None


def prompt_tokens_of(prompt: Any) -> int | None:
    """How many tokens the engine computes for a prompt, placeholders of media among them; None where it must count."""
    if isinstance(prompt, list):
        return len(prompt)
    if isinstance(prompt, Mapping):
        if any(part in prompt for part in PARTS):
            counts = [prompt_tokens_of(prompt[part]) for part in PARTS if prompt.get(part) is not None]
            return None if None in counts else sum(filter(None, counts))
        ids, embeddings = prompt.get("prompt_token_ids"), prompt.get("prompt_embeds")
    else:
        ids, embeddings = getattr(prompt, "prompt_token_ids", None), getattr(prompt, "prompt_embeds", None)
    return _length(embeddings) if ids is None else _length(ids)


def _length(items: Any) -> int | None:
    try:
        return len(items)
    except TypeError:
        return None
