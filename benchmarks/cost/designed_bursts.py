"""Bursts that tell the costs of a step apart: by their size, and by what stands in context. Pure."""

from dataclasses import dataclass

SHORT, LONG = 16, 256
"""Words of a prompt."""


@dataclass(frozen=True)
class DesignedBurst:
    """Requests that are sent at once."""

    kind: str
    """`decode`, `prefill`, `equal_long` or `mixed`: what makes its time."""
    words: tuple[int, ...]
    """Of each prompt."""
    output_tokens: int
    """Of each answer."""


def designed_bursts(max_num_seqs: int, output_tokens: int, context_tokens: int) -> list[DesignedBurst]:
    """All bursts of one sweep.

    Short prompts at every size tell the step from its sequences, longer ones with next to no answer tell its tokens.
    Many long contexts beside as many short ones tell what a token in context costs; one long context among short ones
    has the same longest sequence and little in context, which tells the two apart.
    """
    sizes = [2**power for power in range(max_num_seqs.bit_length()) if 2**power < max_num_seqs]
    sizes += [max_num_seqs, 2 * max_num_seqs]
    bursts = [DesignedBurst("decode", (SHORT,) * size, output_tokens) for size in sizes]
    bursts += [DesignedBurst("prefill", (LONG,) * size, 2) for size in sizes[: max(2, len(sizes) - 1)]]
    for size in sorted({max(2, max_num_seqs // 4), max(2, max_num_seqs)}):
        bursts.append(DesignedBurst("equal_long", (context_tokens,) * size, output_tokens))
        bursts.append(DesignedBurst("mixed", (context_tokens,) + (SHORT,) * (size - 1), output_tokens))
    return bursts
