"""vLLM's own scheduler under a virtual clock: the one file of this room that imports vLLM.

Which request is admitted, computed in chunks, preempted or found in the prefix cache is decided by the class that
serves; only the network is missing. In its place a step costs time, and every sequence whose prompt is computed gets a
token. No step is skipped, and the same requests always give the same times.
"""

import json
from collections import Counter, deque
from collections.abc import Iterable
from functools import cache
from math import ceil, inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from vllm.config import VllmConfig
from vllm.engine.arg_utils import EngineArgs
from vllm.sampling_params import SamplingParams
from vllm.utils.hashing import sha256
from vllm.v1.core.kv_cache_utils import get_request_block_hasher, init_none_hash
from vllm.v1.core.sched.output import SchedulerOutput
from vllm.v1.core.sched.scheduler import Scheduler
from vllm.v1.kv_cache_interface import FullAttentionSpec, KVCacheConfig, KVCacheGroupSpec
from vllm.v1.outputs import ModelRunnerOutput
from vllm.v1.request import Request
from vllm.v1.structured_output import StructuredOutputManager

from benchmarks.simulation.engine.engine_settings import EngineSettings, Served, SimulatedRequest
from serving.work.step_cost import StepCost

BLOCK_TOKENS = 16
TOKEN = 7
"""What every sequence samples: nothing ends an answer but its length."""


class VirtualEngine:
    """One engine. Submit requests in any order, let it take steps, and take what was served."""

    def __init__(self, settings: EngineSettings, cost: StepCost, longest_request: int | None = None) -> None:
        """`longest_request` (prompt and answer) sizes a KV cache that shall always be enough."""
        self._cost = cost
        self._config = _config(settings)
        longest = longest_request or settings.longest_request
        enough_blocks = ceil(longest / BLOCK_TOKENS) * settings.max_num_seqs
        blocks = ceil(settings.kv_cache_tokens / BLOCK_TOKENS) if settings.kv_cache_tokens else enough_blocks
        self._scheduler = _scheduler(self._config, num_blocks=blocks + 1)  # vLLM keeps one for itself
        self._hasher = _hasher() if settings.prefix_caching == "on" else None
        self._pending: deque[SimulatedRequest] = deque()
        self._first_token_s: dict[str, float] = {}
        self._contexts: dict[str, int] = {}
        """Tokens that are computed, of each request that has begun."""
        self._preemptions: Counter[str] = Counter()
        self._recomputed_tokens: Counter[str] = Counter()
        self.now_s = 0.0
        """The virtual clock; whoever runs the engine may set it forward while there is nothing to do."""
        self.num_steps = 0

    @property
    def num_requests(self) -> int:
        """Submitted and not yet answered."""
        return len(self._pending) + len(self._scheduler.requests)

    @property
    def num_running(self) -> int:
        """Requests in the batch."""
        return len(self._scheduler.running)

    @property
    def num_waiting(self) -> int:
        """Requests that wait for room."""
        return len(self._scheduler.waiting)

    @property
    def next_ready_s(self) -> float:
        """When the next one of those that were submitted can enter; infinite if there is none."""
        return self._pending[0].ready_s if self._pending else inf

    def submit(self, requests: Iterable[SimulatedRequest]) -> None:
        """Give the engine more requests; each enters when it is ready, or now if that is past."""
        if new := list(requests):
            self._pending = deque(sorted([*self._pending, *new], key=lambda one: one.ready_s))

    def admit(self) -> bool:
        """Let those enter that are ready; whether there is anything to do."""
        while self._pending and self._pending[0].ready_s <= self.now_s:
            self._scheduler.add_request(self._request(self._pending.popleft()))
        return bool(self._scheduler.requests)

    def _request(self, one: SimulatedRequest) -> Request:
        # Where prefixes are cached, a prompt of unknown content must not look like another one.
        tokens = list(one.token_ids) if one.token_ids else [one.number] * one.prompt_tokens
        return Request(
            str(one.number),
            tokens,
            _sampling(one.output_tokens),
            None,
            arrival_time=one.arrival_s,
            priority=one.priority,
            block_hasher=self._hasher,
        )

    def step(self) -> list[Served]:
        """Take a step, of which there must be something to do; return what it answered."""
        scheduler = self._scheduler
        output = scheduler.schedule()
        names = list(output.num_scheduled_tokens)
        assert names, "the engine is stuck: a request does not fit its KV cache"
        self.num_steps += 1
        self._note_preemptions(output)
        requests = [scheduler.requests[name] for name in names]
        contexts = [one.num_computed_tokens for one in requests]
        self._contexts.update(zip(names, contexts, strict=True))
        self.now_s += self._cost.step_s(output.total_num_scheduled_tokens, contexts)
        scheduler.update_from_output(output, self._sample(names, requests))
        return [self._served(name) for name in names if name not in scheduler.requests]

    def _note_preemptions(self, output: SchedulerOutput) -> None:
        """What a preempted request had computed is computed anew, but for what the prefix cache still has of it."""
        for name in output.preempted_req_ids or ():
            self._preemptions[name] += 1
            self._recomputed_tokens[name] += self._contexts[name]
        cached = output.scheduled_cached_reqs
        if cached.resumed_req_ids:
            for name, found_tokens in zip(cached.req_ids, cached.num_computed_tokens, strict=True):
                if name in cached.resumed_req_ids:
                    self._recomputed_tokens[name] -= min(found_tokens, self._contexts[name])

    def _served(self, name: str) -> Served:
        del self._contexts[name]
        return Served(
            number=int(name),
            first_token_s=self._first_token_s.pop(name),
            last_token_s=self.now_s,
            preemptions=self._preemptions.pop(name, 0),
            recomputed_tokens=self._recomputed_tokens.pop(name, 0),
        )

    def _sample(self, names: list[str], requests: list[Request]) -> ModelRunnerOutput:
        """One token for every sequence whose prompt is computed."""
        for name, request in zip(names, requests, strict=True):
            if not request.is_prefill_chunk and name not in self._first_token_s:
                self._first_token_s[name] = self.now_s
        sampled = [[] if one.is_prefill_chunk else [TOKEN] for one in requests]
        return ModelRunnerOutput(names, {name: place for place, name in enumerate(names)}, sampled)


@cache
def _sampling(output_tokens: int) -> SamplingParams:
    return SamplingParams(max_tokens=output_tokens, ignore_eos=True)


@cache
def _config(settings: EngineSettings) -> VllmConfig:
    """Settings of a Llama that exists as a configuration only; its size plays no part in scheduling."""
    with TemporaryDirectory() as folder:
        llama = {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "vocab_size": 1000,
            "hidden_size": 64,
            "intermediate_size": 64,
            "num_hidden_layers": 1,
            "num_attention_heads": 1,
            "max_position_embeddings": settings.max_model_len,
            "dtype": "float32",
        }
        (Path(folder) / "config.json").write_text(json.dumps(llama), encoding="utf-8")
        return EngineArgs(
            model=folder,
            skip_tokenizer_init=True,
            max_num_seqs=settings.max_num_seqs,
            max_num_batched_tokens=max(settings.max_num_batched_tokens, settings.max_num_seqs),
            max_model_len=settings.max_model_len,
            enable_prefix_caching=settings.prefix_caching == "on",
            enable_chunked_prefill=True,
            scheduling_policy="priority",
            async_scheduling=False,
            enforce_eager=True,
        ).create_engine_config()


def _scheduler(config: VllmConfig, num_blocks: int) -> Scheduler:
    config.cache_config.num_gpu_blocks = num_blocks
    attention = FullAttentionSpec(block_size=BLOCK_TOKENS, num_kv_heads=1, head_size=1, dtype=torch.float32)
    return Scheduler(
        vllm_config=config,
        kv_cache_config=KVCacheConfig(num_blocks, [], [KVCacheGroupSpec(["layer"], attention)]),
        structured_output_manager=StructuredOutputManager(config),
        block_size=BLOCK_TOKENS,
        hash_block_size=BLOCK_TOKENS,
    )


def _hasher() -> Any:
    init_none_hash(sha256)
    return get_request_block_hasher(BLOCK_TOKENS, sha256)
