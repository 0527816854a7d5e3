"""Ends the answers of the demo's LLM, whose random weights never would, at the length that the law gives the prompt.

A logits processor by vLLM's public interface: `--logits-processors benchmarks.demo.own_ending:OwnEnding`. It makes
the token that ends an answer the likeliest when its time has come, and the least likely before; what the client asks
for (`max_tokens`, `min_tokens`, stop words, a schema) holds as it does with any other LLM.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from vllm import SamplingParams
from vllm.config import VllmConfig
from vllm.v1.sample.logits_processor import AdapterLogitsProcessor

from benchmarks.demo.length_law import drawn_tokens

CERTAIN = 1e9
"""Added to a logit: above every other one, but finite, so that a token that the client forbids stays forbidden."""
ASKED, ANSWERED = "user : ", " assistant :"
"""What the chat template puts before the last message and behind it, in word pieces."""

Processor = Callable[[list[int], list[int], torch.Tensor], torch.Tensor]
"""(tokens of the prompt, tokens of the answer so far, logits of the next one) -> logits."""


class OwnEnding(AdapterLogitsProcessor):
    """Ends each answer after as many tokens, the ending one among them, as the law draws for its prompt and `seed`.

    Requests that ask for `ignore_eos` do not end.
    """

    def __init__(self, vllm_config: VllmConfig, device: torch.device, is_pin_memory: bool) -> None:
        super().__init__(vllm_config, device, is_pin_memory)
        model = vllm_config.model_config
        self._tokenizer = Tokenizer.from_file(str(Path(model.tokenizer) / "tokenizer.json"))
        self._end_token: int = model.hf_config.eos_token_id

    def is_argmax_invariant(self) -> bool:
        """No: it must also end answers that are decoded greedily."""
        return False

    def apply(self, logits: torch.Tensor) -> torch.Tensor:
        """Keep every answer from its end, in one operation, but those whose time has come."""
        logits[:, self._end_token] -= CERTAIN
        return super().apply(logits)

    def new_req_logits_processor(self, params: SamplingParams) -> Processor | None:
        """What ends the answer to one request."""
        return None if params.ignore_eos else _Ending(self._tokenizer, self._end_token, params.seed or 0)


class _Ending:
    """Of one request. Its length is drawn once."""

    def __init__(self, tokenizer: Tokenizer, end_token: int, seed: int) -> None:
        self._tokenizer = tokenizer
        self._end_token = end_token
        self._seed = seed
        self._length_tokens: int | None = None

    def __call__(self, prompt_ids: list[int], output_ids: list[int], logits: torch.Tensor) -> torch.Tensor:
        if self._length_tokens is None:
            self._length_tokens = drawn_tokens(asked_text(self._tokenizer, prompt_ids), self._seed)
        if len(output_ids) + 1 >= self._length_tokens:
            logits[self._end_token] += 2 * CERTAIN
        return logits


def asked_text(tokenizer: Any, prompt_ids: Sequence[int]) -> str:
    """The words of a prompt, or of a chat's last message of a user, as they can be told from its tokens."""
    pieces = " ".join(map(tokenizer.id_to_token, prompt_ids)).replace(" ##", "")
    return pieces.rpartition(ASKED)[2].removesuffix(ANSWERED)
