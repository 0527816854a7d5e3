"""Ends the answers of the demo's LLM, whose random weights never would, at the length that the law gives the request.

A logits processor by vLLM's public interface: `--logits-processors benchmarks.demo.own_ending:OwnEnding`. It makes
the token that ends an answer the likeliest when its time has come, and the least likely before; what the client asks
for (`max_tokens`, `min_tokens`, stop words, a schema) holds as it does with any other LLM. An answer that must be JSON
is closed first.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from tokenizers import Tokenizer
from vllm import SamplingParams
from vllm.config import VllmConfig
from vllm.v1.sample.logits_processor import AdapterLogitsProcessor

from benchmarks.demo.asked_in_tokens import asked_of
from benchmarks.demo.habits import habits_of
from benchmarks.demo.law_tables import KINDS, Kind
from benchmarks.demo.length_law import drawn_tokens

CERTAIN = 1e9
"""Added to a logit: above every other one, but finite, so that a token that the client forbids stays forbidden."""
CLOSERS = ("}", '"')
"""What closes a JSON answer that is one object of texts. The second is likelier: within a text the first is a letter
like any other, and behind it the grammar forbids the second."""

Processor = Callable[[list[int], list[int], torch.Tensor], torch.Tensor]
"""(tokens of the prompt, tokens of the answer so far, logits of the next one) -> logits."""


class OwnEnding(AdapterLogitsProcessor):
    """Ends each answer after as many tokens, the ending one among them, as the law draws for its request and `seed`.

    Requests that ask for `ignore_eos` do not end.
    """

    def __init__(self, vllm_config: VllmConfig, device: torch.device, is_pin_memory: bool) -> None:
        super().__init__(vllm_config, device, is_pin_memory)
        model = vllm_config.model_config
        self._folder = Path(model.tokenizer)
        self._tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
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
        if params.ignore_eos:
            return None
        return _Ending(self._tokenizer, self._end_token, params, habits_of(self._folder))


class _Ending:
    """Of one request. Its length is drawn once."""

    def __init__(
        self, tokenizer: Tokenizer, end_token: int, params: SamplingParams, kinds: Mapping[str, Kind] = KINDS
    ) -> None:
        self._tokenizer = tokenizer
        self._kinds = kinds
        self._seed = params.seed or 0
        self._is_json = params.structured_outputs is not None
        closers = CLOSERS if self._is_json else ()
        self._endings = [*(tokenizer.token_to_id(one) for one in closers), end_token]
        """The tokens of an end; each is likelier than those before it, and comes as soon as it may."""
        self._length_tokens: int | None = None

    def __call__(self, prompt_ids: list[int], output_ids: list[int], logits: torch.Tensor) -> torch.Tensor:
        if self._length_tokens is None:
            asked = asked_of(self._tokenizer, prompt_ids, self._is_json)
            self._length_tokens = drawn_tokens(asked, self._seed, self._kinds)
        is_time = len(output_ids) + len(self._endings) >= self._length_tokens
        for place, token in enumerate(self._endings, start=2):
            logits[token] += place * CERTAIN if is_time else -CERTAIN
        return logits
