"""What ends the demo LLM's answers, beside vLLM's own batch; the engine stands in `test_ended_answers.py`."""

import importlib
import shlex
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer
from vllm import SamplingParams
from vllm.sampling_params import StructuredOutputsParams
from vllm.v1.sample.logits_processor import BatchUpdate, LogitsProcessor

from benchmarks.demo import habits
from benchmarks.demo.applications import APPLICATIONS
from benchmarks.demo.asked_in_tokens import asked_of
from benchmarks.demo.demo_lengths import make_workload
from benchmarks.demo.law_tables import UPDATED_KINDS
from benchmarks.demo.length_law import MAX_TOKENS, Asked, drawn_tokens
from benchmarks.demo.own_ending import CLOSERS, OwnEnding
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
    ending: OwnEnding,
    prompt_ids: list[int],
    params: SamplingParams,
    forbidden: Callable[[list[int]], list[int]] = lambda _: [],
    at_most: int = MAX_TOKENS + 20,
) -> int:
    """Length of a greedy answer to a request that is alone in its batch; some tokens may not follow others."""
    output_ids: list[int] = []
    ending.update_state(BatchUpdate(1, removed=[], added=[(0, params, prompt_ids, output_ids)], moved=[]))
    generator = torch.Generator().manual_seed(0)
    while len(output_ids) < at_most and END not in output_ids:
        logits = torch.randn(1, 30522, generator=generator)
        logits[0, forbidden(output_ids)] = -torch.inf  # what vLLM makes of `min_tokens`, and of a schema
        output_ids.append(int(ending.apply(logits).argmax()))
        ending.update_state(None)
    return len(output_ids)


@pytest.mark.parametrize("prompt", [one.asked.text for one in make_workload(20)] + ["Hello", ""])
@pytest.mark.parametrize("seed", [None, 7, -7])
def test_answer_ends_at_the_length_that_the_law_draws(
    ending: OwnEnding, tokenizer: Any, prompt: str, seed: int | None
) -> None:
    ids = tokenizer(prompt).input_ids
    assert answer_tokens(ending, ids, SamplingParams(seed=seed)) == drawn_tokens(prompt, seed or 0)


def test_law_reads_the_tokens_of_every_request_as_it_reads_the_request(tokenizer: Any) -> None:
    """As vLLM renders a chat: with what the request says of effort, and its tools."""
    for one in make_workload(3000):
        switches = one.params.get("chat_template_kwargs", {})
        if effort := one.params.get("reasoning_effort"):
            switches = {"reasoning_effort": effort, "enable_thinking": effort != "none"}
        ids = tokenizer.apply_chat_template(
            one.messages, tools=one.params.get("tools"), add_generation_prompt=True, return_dict=False, **switches
        )
        asked = asked_of(tokenizer.backend_tokenizer, ids, "response_format" in one.params)
        assert min(drawn_tokens(asked), one.params.get("max_tokens", MAX_TOKENS)) == one.output_tokens


def test_text_of_a_chat_is_read_as_the_chat(tokenizer: Any) -> None:
    """As it is sent where a completion is asked for: then nothing is said of effort and tools."""
    ids = tokenizer(f"system: {APPLICATIONS[2].system}\n\nuser: {STORY}").input_ids
    asked = asked_of(tokenizer.backend_tokenizer, ids)
    assert drawn_tokens(asked) == drawn_tokens(Asked(STORY, APPLICATIONS[2].system)) != drawn_tokens(STORY)


def test_answer_that_must_be_json_is_closed_before_it_ends(ending: OwnEnding, tokenizer: Any) -> None:
    brace, quote = map(tokenizer.convert_tokens_to_ids, CLOSERS)

    def grammar(output_ids: list[int]) -> list[int]:
        """Of a text, in which a brace is a letter like any other, and the object around it."""
        if quote not in output_ids:
            return [END]
        only = brace if output_ids[-1] == quote else END
        return [one for one in range(tokenizer.vocab_size) if one != only]

    params = SamplingParams(structured_outputs=StructuredOutputsParams(json={"type": "object"}))
    expected = drawn_tokens(Asked(STORY, is_json=True))
    assert answer_tokens(ending, tokenizer(STORY).input_ids, params, grammar) == expected


def test_in_a_chat_the_last_message_of_the_user_counts(ending: OwnEnding, tokenizer: Any) -> None:
    said = [("system", "Be thorough."), ("user", "Define socks."), ("assistant", "They warm feet."), ("user", STORY)]
    chat = [{"role": role, "content": content} for role, content in said]
    ids = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False)
    assert answer_tokens(ending, ids, SamplingParams()) == drawn_tokens(STORY)


def test_what_the_client_forbids_stays_forbidden(ending: OwnEnding, tokenizer: Any) -> None:
    ids = tokenizer(STORY).input_ids
    later = drawn_tokens(STORY) + 10
    assert (
        answer_tokens(ending, ids, SamplingParams(), lambda output_ids: [END] * (len(output_ids) < later)) == later + 1
    )
    assert answer_tokens(ending, ids, SamplingParams(ignore_eos=True), at_most=600) == 600


def test_demo_gives_it_to_vllm_by_its_name() -> None:
    flags = shlex.split(DEMO_VLLM_ARGS)
    module, name = flags[flags.index("--logits-processors") + 1].split(":")
    assert getattr(importlib.import_module(module), name) is OwnEnding
    assert issubclass(OwnEnding, LogitsProcessor)


def test_the_next_version_answers_from_its_first_request_on(ending: OwnEnding, tokenizer: Any, demo_llm: Path) -> None:
    prompt_ids = tokenizer(STORY)["input_ids"]
    lengths = []
    for change in (habits.update, habits.restore):
        change(demo_llm)
        lengths.append(answer_tokens(ending, prompt_ids, SamplingParams(max_tokens=MAX_TOKENS)))
    assert lengths == [drawn_tokens(STORY, kinds=UPDATED_KINDS), drawn_tokens(STORY)]
    assert lengths[0] < lengths[1]
