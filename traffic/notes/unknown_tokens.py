"""Prompts that an encoder cannot read: its tokenizer turns words of a script that it does not know into one token."""

from collections.abc import Iterable

from tokenizers import Tokenizer

UNKNOWN_TOKENS = ("[UNK]", "<unk>", "<|unk|>")
SAID_FROM = 0.01
SAMPLED_PROMPTS = 2000
"""How many prompts are looked at."""
MULTILINGUAL = "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"
CHARACTERS = 4000
"""Of a prompt, at most."""


def unknown_share(prompts: Iterable[str], tokenizer: Tokenizer) -> float:
    """The share of the prompts' tokens that stand for a word unknown to the tokenizer."""
    unknown = {tokenizer.token_to_id(token) for token in UNKNOWN_TOKENS} - {None}
    encoded = tokenizer.encode_batch([prompt[:CHARACTERS] for prompt in prompts], add_special_tokens=False)
    ids = [number for one in encoded for number, counts in zip(one.ids, one.attention_mask, strict=True) if counts]
    return sum(number in unknown for number in ids) / max(1, len(ids))


def unknown_note(prompts: Iterable[str], tokenizer: Tokenizer, encoder: str) -> str | None:
    """What a user must know of it, and which encoder to take; None where next to nothing is unknown."""
    share = unknown_share(prompts, tokenizer)
    if share < SAID_FROM:
        return None
    return (
        f"{share:.0%} of the prompts' tokens are [UNK] to the encoder {encoder}, so a ranker could not tell those words"
        f" apart; give an encoder that knows their script, such as encoder={MULTILINGUAL}."
    )
