"""Prompts that are longer than what a ranker reads of one."""

from collections.abc import Sequence

from tokenizers import Tokenizer

from registry.window.token_window import CHARACTERS_PER_TOKEN

SAID_FROM = 0.2


def cut_share(prompts: Sequence[str], tokenizer: Tokenizer, max_tokens: int) -> float:
    """The share of the prompts that have more than so many tokens, special tokens included; 0 of no prompts."""
    clipped = [prompt[: max_tokens * CHARACTERS_PER_TOKEN] for prompt in prompts]
    return sum(len(one.ids) > max_tokens for one in tokenizer.encode_batch(clipped)) / max(1, len(prompts))


def cut_note(prompts: Sequence[str], tokenizer: Tokenizer, max_tokens: int) -> str | None:
    """What a user must know of it, and what to try; None where few prompts are that long."""
    share = cut_share(prompts, tokenizer, max_tokens)
    if share < SAID_FROM:
        return None
    return (
        f"{share:.0%} of the prompts are longer than the {max_tokens} tokens that the ranker reads: of these it knows"
        " head and tail alone. Where the middle decides how long an answer is, as of pasted code, a larger max_tokens"
        " (at most what the encoder reads) may order better, and takes longer; train both, and compare by `evaluate`."
    )
