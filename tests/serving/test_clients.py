"""The clients that people use, against `bentoml serve`: OpenAI's, Anthropic's, and vLLM's benchmark."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anthropic
import httpx
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

from tests.servers import PROJECT, RunningServer, server_environment

MODEL = "demo-llm"
HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello there"}]
SCHEMA = {
    "type": "object",
    "properties": {"is_red": {"type": "boolean"}},
    "required": ["is_red"],
    "additionalProperties": False,
}
TOOL: ChatCompletionToolParam = {"type": "function", "function": {"name": "paint", "parameters": SCHEMA}}
BENCHMARK = """
from vllm.benchmarks.serve import add_cli_args, main
from vllm.utils.argparse_utils import FlexibleArgumentParser
parser = FlexibleArgumentParser()
add_cli_args(parser)
main(parser.parse_args())
"""


@pytest.fixture
def user(server: RunningServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as user:
        yield user


@pytest.fixture
def claude_user(server: RunningServer) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=server.url, api_key="none", max_retries=0) as user:
        yield user


def test_several_answers_with_logprobs_and_usage(user: openai.OpenAI) -> None:
    answer = user.chat.completions.create(
        model=MODEL, messages=HELLO, n=3, max_tokens=4, logprobs=True, top_logprobs=2, seed=1, temperature=1
    )
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    for choice in answer.choices:
        assert choice.logprobs is not None
        tokens = choice.logprobs.content
        assert tokens is not None
        assert all(len(token.top_logprobs) == 2 for token in tokens)
    assert answer.usage is not None
    assert answer.usage.completion_tokens <= 12
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_stream_ends_with_usage_when_asked_for(user: openai.OpenAI) -> None:
    chunks = list(
        user.chat.completions.create(
            model=MODEL,
            messages=HELLO,
            max_tokens=4,
            stream=True,
            stream_options={"include_usage": True},
            extra_body={"ignore_eos": True},
        )
    )
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 4
    assert chunks[-2].choices[0].finish_reason == "length"


def test_tools_may_be_offered(user: openai.OpenAI) -> None:
    # That is all: the test model's word pieces come with blanks between them, so it cannot write a `<tool_call>`.
    answer = user.chat.completions.create(
        model=MODEL, messages=HELLO, tools=[TOOL], tool_choice="auto", max_tokens=8, temperature=0
    )
    assert answer.choices[0].message.content
    assert not answer.choices[0].message.tool_calls


def test_structured_output_keeps_to_its_schema(user: openai.OpenAI) -> None:
    answer = user.chat.completions.create(
        model=MODEL,
        messages=HELLO,
        response_format={"type": "json_schema", "json_schema": {"name": "colour", "schema": SCHEMA, "strict": True}},
        max_tokens=60,
        temperature=0,
    )
    text = (answer.choices[0].message.content or "").replace(" ", "")  # word pieces come with blanks between them
    assert isinstance(json.loads(text)["is_red"], bool)
    choice = user.completions.create(
        model=MODEL, prompt="red?", max_tokens=5, extra_body={"structured_outputs": {"choice": ["yes", "no"]}}
    )
    assert choice.choices[0].text.replace(" ", "") in {"yes", "no"}


def test_responses_whole_and_streamed(user: openai.OpenAI) -> None:
    whole = user.responses.create(model=MODEL, input="hello there", max_output_tokens=6, temperature=0)
    events = list(
        user.responses.create(model=MODEL, input="hello there", max_output_tokens=6, temperature=0, stream=True)
    )
    assert whole.usage is not None
    assert whole.usage.output_tokens <= 6
    streamed = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert streamed == whole.output_text != ""


def test_anthropic_messages_whole_and_streamed(claude_user: anthropic.Anthropic) -> None:
    turns: list[anthropic.types.MessageParam] = [{"role": "user", "content": "hello there"}]
    whole = claude_user.messages.create(model=MODEL, max_tokens=6, messages=turns, system="be brief")
    (block,) = whole.content
    assert block.type == "text"
    assert whole.usage.output_tokens <= 6
    with claude_user.messages.stream(model=MODEL, max_tokens=6, messages=turns) as stream:
        pieces = list(stream.text_stream)
        final = stream.get_final_message()
    assert "".join(pieces) == "".join(one.text for one in final.content if one.type == "text")
    assert claude_user.messages.count_tokens(model=MODEL, messages=turns).input_tokens > 1


def test_anthropic_error_is_anthropics(claude_user: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError):
        claude_user.messages.create(model="another", max_tokens=6, messages=[{"role": "user", "content": "hi"}])


async def test_client_that_leaves_ends_its_request_in_the_engine(server: RunningServer) -> None:
    body = {"model": MODEL, "prompt": "hello", "max_tokens": 4000, "ignore_eos": True}
    async with server.client() as client:
        for is_streamed in (True, False):
            task = asyncio.create_task(client.post("/v1/completions", json={**body, "stream": is_streamed}))
            async with asyncio.timeout(60):
                while not await metric(client, "vllm:num_requests_running"):
                    await asyncio.sleep(0.02)
            task.cancel()
            async with asyncio.timeout(60):
                while await metric(client, "vllm:num_requests_running"):  # which vLLM counts anew with each step
                    await client.post("/v1/completions", json={**body, "max_tokens": 1})
            assert not task.done() or task.cancelled()


async def metric(client: httpx.AsyncClient, pattern: str) -> float:
    page = (await client.get("/metrics")).text
    return sum(float(value) for value in re.findall(rf"^{pattern}.*}} (.*)$", page, re.MULTILINE))


def test_vllms_benchmark_client_runs(server: RunningServer, demo_llm: Path, tmp_path: Path) -> None:
    command = (
        f"--backend openai-chat --endpoint /v1/chat/completions --base-url {server.url} --model {MODEL}"
        f" --tokenizer {demo_llm} --dataset-name random --random-input-len 16 --random-output-len 8 --num-prompts 12"
        f" --request-rate 20 --save-result --result-dir {tmp_path} --result-filename result.json"
    )
    ended = subprocess.run(
        [sys.executable, "-c", BENCHMARK, *command.split()],
        cwd=PROJECT,
        env=server_environment({"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    result = json.loads((tmp_path / "result.json").read_text())
    assert (result["completed"], result.get("failed", 0)) == (12, 0)


SECRET = "zanzibar"
BROKEN: list[tuple[str, dict[str, object]]] = [
    ("/v1/chat/completions", {"messages": SECRET}),
    ("/v1/chat/completions", {"messages": [{"role": SECRET, "content": {"text": SECRET}}]}),
    ("/v1/chat/completions", {"messages": [{"role": "user", "content": SECRET}], "max_tokens": SECRET}),
    ("/v1/chat/completions", {"messages": [{"role": "user", "content": SECRET}], "tools": SECRET}),
    ("/v1/completions", {"prompt": {"text": SECRET}}),
    ("/v1/completions", {"prompt": SECRET, "temperature": -5}),
    ("/v1/completions", {"prompt": SECRET, "structured_outputs": {"regex": "("}}),
    ("/v1/responses", {"input": {"text": SECRET}}),
    ("/v1/responses", {"input": [{"role": "user", "content": [{"type": SECRET, "text": SECRET}]}]}),
    ("/v1/messages", {"messages": SECRET, "max_tokens": 3}),
    ("/v1/messages", {"messages": [{"role": "user", "content": SECRET}], "max_tokens": 3, "temperature": -5}),
    ("/v1/messages", {"messages": [{"role": "user", "content": SECRET}], "max_tokens": 3, "top_p": 7}),
    ("/rank", {"prompt": SECRET, "max_tokens": 0, "model": MODEL}),
]


@pytest.mark.parametrize(("path", "body"), BROKEN)
def test_log_holds_nothing_of_a_request_that_is_refused(
    server: RunningServer, path: str, body: dict[str, object]
) -> None:
    response = httpx.post(f"{server.url}{path}", json={"model": MODEL, **body}, timeout=300)
    assert response.status_code in (200, 400, 404, 422), response.text
    assert SECRET not in server.log.read_text()
