"""What ends the demo LLM's answers, beside vLLM's own batch; the engine stands in `test_ended_answers.py`."""

import importlib
import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer
from vllm import SamplingParams
from vllm.v1.sample.logits_processor import BatchUpdate, LogitsProcessor

from benchmarks.demo.demo_lengths import make_workload
from benchmarks.demo.length_law import drawn_tokens
from benchmarks.demo.own_ending import OwnEnding, asked_text
from serving.config import DEMO_VLLM_ARGS

END = 102
STORY = "Tell me a story in which volcanoes save the day."


@pytest.fixture(scope="module")
def tokenizer(demo_llm: Path) -> Any:
    return AutoTokenizer.from_pretrained(demo_llm)


@pytest.fixture
def ending(demo_llm: Path) -> OwnEnding:
    model = SimpleNamespace(tokenizer=str(demo_llm), hf_config=SimpleNamespace(eos_token_id=END))
    return OwnEnding(SimpleNamespace(model_config=model), torch.device("cpu"), False)


def answer_tokens(
    ending: OwnEnding, prompt_ids: list[int], params: SamplingParams, forbidden_until: int = 0, at_most: int = 300
) -> int:
    """Length of a greedy answer to a request that is alone in its batch."""
    output_ids: list[int] = []
    ending.update_state(BatchUpdate(1, removed=[], added=[(0, params, prompt_ids, output_ids)], moved=[]))
    generator = torch.Generator().manual_seed(0)
    while len(output_ids) < at_most and END not in output_ids:
        logits = torch.randn(1, 30522, generator=generator)
        if len(output_ids) < forbidden_until:
            logits[0, END] = -torch.inf  # what vLLM makes of `min_tokens`, and of a schema that has not ended
        output_ids.append(int(ending.apply(logits).argmax()))
        ending.update_state(None)
    return len(output_ids)


@pytest.mark.parametrize("prompt", [row.prompt for row in make_workload(20)] + ["Hello", ""])
@pytest.mark.parametrize("seed", [None, 7, -7])
def test_answer_ends_at_the_length_that_the_law_draws(
    ending: OwnEnding, tokenizer: Any, prompt: str, seed: int | None
) -> None:
    ids = tokenizer(prompt).input_ids
    assert answer_tokens(ending, ids, SamplingParams(seed=seed)) == drawn_tokens(prompt, seed or 0)


def test_law_reads_the_tokens_of_every_prompt_as_it_reads_its_text(tokenizer: Any) -> None:
    backend = tokenizer.backend_tokenizer
    for row in make_workload(3680):
        assert drawn_tokens(asked_text(backend, tokenizer(row.prompt).input_ids)) == row.output_tokens


def test_in_a_chat_the_last_message_of_the_user_counts(ending: OwnEnding, tokenizer: Any) -> None:
    said = [("system", "Be thorough."), ("user", "Define socks."), ("assistant", "They warm feet."), ("user", STORY)]
    chat = [{"role": role, "content": content} for role, content in said]
    ids = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False)
    assert answer_tokens(ending, ids, SamplingParams()) == drawn_tokens(STORY)


def test_what_the_client_forbids_stays_forbidden(ending: OwnEnding, tokenizer: Any) -> None:
    ids = tokenizer(STORY).input_ids
    later = drawn_tokens(STORY) + 10
    assert answer_tokens(ending, ids, SamplingParams(), forbidden_until=later) == later + 1
    assert answer_tokens(ending, ids, SamplingParams(ignore_eos=True)) == 300


def test_demo_gives_it_to_vllm_by_its_name() -> None:
    flags = shlex.split(DEMO_VLLM_ARGS)
    module, name = flags[flags.index("--logits-processors") + 1].split(":")
    assert getattr(importlib.import_module(module), name) is OwnEnding
    assert issubclass(OwnEnding, LogitsProcessor)
