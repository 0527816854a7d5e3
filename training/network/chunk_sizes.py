"""How a batch is cut into chunks, and of which of them backward needs no second reading. Pure.

Memory goes by the tokens whose gradients are prepared at once. A chunk has so many at most, and of a long batch only
the last few chunks keep what backward needs; the others are scored without it and read once more in backward, one by
one, when nothing else is kept any more: gradient caching (GradCache, arXiv 2101.06983), by way of checkpointing, which
also repeats the draws of dropout. The gradient is that of the whole batch.
"""

from collections.abc import Sequence

KEPT_CHUNKS = 8
"""Full chunks that are kept; with 512 tokens a chunk, the default, that is a batch of 64 prompts of 64 tokens. A token
takes 0.65 MB of memory there with the default encoder, and more in long prompts: attention under dropout keeps every
pair of tokens of a prompt."""


def chunk_sizes(tokens: Sequence[int], chunk_tokens: int) -> list[int]:
    """Prompts of each chunk, of prompts with so many tokens, in ascending order.

    A chunk has at most `chunk_tokens`, padding included, or a single prompt. The longest prompts make full chunks, so
    that what is left over is short.
    """
    sizes, left = [], len(tokens)
    while left:
        sizes.append(min(left, max(1, chunk_tokens // tokens[left - 1])))
        left -= sizes[-1]
    return sizes[::-1]


def is_kept(padded_tokens: Sequence[int], most_tokens: float) -> list[bool]:
    """Whether each chunk, of so many tokens, is kept: the last ones, as far as they have `most_tokens` together.

    Backward begins with the last: its memory is free again when the first chunk is read anew.
    """
    kept, total = [], 0
    for tokens in reversed(padded_tokens):
        total += tokens
        kept.append(total <= most_tokens)
    return kept[::-1]
