"""What a token costs an engine that is full, and so what a request costs it: the work that the queue is ordered by."""

from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt

from serving.work.step_cost import StepCost

Number = TypeVar("Number", float, npt.NDArray[np.float64])


@dataclass(frozen=True)
class TokenPrice:
    """Seconds of an engine's time for what a request is made of."""

    prompt_token_s: float
    """Of each token of the prompt."""
    output_token_s: float
    """Of each token of the answer; above 0, so that of two requests with the same prompt the longer answer is more."""
    context_token_s: float = 0.0
    """Of each token in context that a token of the answer reads: the prompt, and what of the answer is there."""

    @classmethod
    def of(cls, cost: StepCost, *, max_num_seqs: int, max_num_batched_tokens: int) -> Self:
        """The prices of an engine of these settings in which requests wait, so that each step is as full as it may be.

        What any step costs is shared by those that fill it: `max_num_seqs` sequences that decode a token each, or
        `max_num_batched_tokens` of prompts. The longest context is shared like that too.
        """
        return cls(
            prompt_token_s=cost.per_token_s + cost.fixed_s / max_num_batched_tokens,
            output_token_s=cost.per_token_s + cost.per_sequence_s + cost.fixed_s / max_num_seqs,
            context_token_s=cost.per_context_token_s + cost.per_longest_token_s / max_num_seqs,
        )

    @classmethod
    def of_engine(cls, cost: StepCost, vllm_config: Any) -> Self:
        """The prices of a running engine, by vLLM's own configuration of it."""
        scheduler = vllm_config.scheduler_config
        return cls.of(
            cost, max_num_seqs=scheduler.max_num_seqs, max_num_batched_tokens=scheduler.max_num_batched_tokens
        )

    def work_s(self, prompt_tokens: Number, output_tokens: Number) -> Number:
        """Seconds of work of a request with such a prompt and answer, or of each of many; it rises with both."""
        context_tokens = output_tokens * (prompt_tokens + output_tokens / 2)  # that all tokens of the answer read
        return (
            prompt_tokens * self.prompt_token_s
            + output_tokens * self.output_token_s
            + context_tokens * self.context_token_s
        )
