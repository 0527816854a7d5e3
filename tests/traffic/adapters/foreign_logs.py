"""Small logs of every source: request `number` asks `question {number}`, and `number + 1` tokens answer it."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from traffic.rows.rules import ARRIVAL_COLUMN, PROMPT_TOKENS_COLUMN, Columns

START_S = 1_780_000_000
MODEL = "qwen-small"

Json = dict[str, Any]


def at(number: int, later_s: float = 0.0) -> str:
    """When a request came, one a second, as APIs print it."""
    return f"2026-11-01T00:{number // 60:02}:{number % 60:02}.{int(later_s * 1000):03}Z"


def user(number: int) -> Json:
    return {"role": "user", "content": f"question {number}"}


def said(number: int) -> str:
    """An answer of as many tokens as the length says, to most tokenizers."""
    return " ".join(["word"] * (number + 1))


def completion(number: int) -> Json:
    """A response of Chat Completions."""
    message = {"role": "assistant", "content": said(number)}
    usage = {"prompt_tokens": 9, "completion_tokens": number + 1, "completion_tokens_details": {"reasoning_tokens": 1}}
    choice = {"index": 0, "message": message, "finish_reason": "length" if number % 5 == 4 else "stop"}
    return {"id": f"r{number}", "model": MODEL, "created": START_S + number, "choices": [choice], "usage": usage}


def spend_log(number: int) -> Json:
    return {
        **{"request_id": f"r{number}", "call_type": "acompletion", "status": "success", "spend": 0.0},
        **{"completion_tokens": number + 1, "prompt_tokens": 9, "total_tokens": number + 10},
        **{"startTime": at(number), "completionStartTime": at(number, 0.1), "endTime": at(number, 0.5)},
        **{"model": MODEL, "model_group": MODEL, "session_id": f"s{number}", "team_id": "a", "end_user": ""},
        **{"messages": {}, "proxy_server_request": {"model": MODEL, "messages": [user(number)], "max_tokens": 512}},
        **{"response": completion(number), "metadata": {"status": "success"}},
    }


def observation(number: int) -> Json:
    """As Langfuse's API gives it."""
    return {
        **{"id": f"o{number}", "traceId": f"t{number}", "type": "GENERATION", "name": "answer", "level": "DEFAULT"},
        **{"startTime": at(number), "completionStartTime": at(number, 0.1), "endTime": at(number, 0.5)},
        **{"model": MODEL, "modelParameters": {"max_tokens": 512}, "input": [user(number)]},
        **{"output": {"role": "assistant", "content": said(number)}, "sessionId": f"s{number}", "userId": "a"},
        "usageDetails": {"input": 9, "output": number + 1, "total": number + 10},
        "usage": {"input": 9, "output": number + 1, "total": number + 10, "unit": "TOKENS"},
    }


def exported_observation(number: int) -> Json:
    """As Langfuse exports it, objects as text."""
    return {
        **{"id": f"o{number}", "trace_id": f"t{number}", "type": "GENERATION", "level": "DEFAULT"},
        **{"start_time": at(number), "completion_start_time": at(number, 0.1), "end_time": at(number, 0.5)},
        **{"provided_model_name": MODEL, "model_parameters": '{"max_tokens": 512}', "user_id": "a"},
        **{"session_id": f"s{number}", "input": json.dumps({"messages": [user(number)]}), "output": said(number)},
        "usage_details": {"input": 9, "output": number, "output_reasoning_tokens": 1, "total": number + 10},
    }


def value_of(value: Any) -> Json:
    """As OTLP JSON writes a value."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [value_of(one) for one in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": attributes(value)}}
    return {"stringValue": value}


def attributes(values: Json) -> list[Json]:
    return [{"key": key, "value": value_of(value)} for key, value in values.items()]


def span(number: int, **changes: Any) -> Json:
    """A span of an LLM's answer, by OpenTelemetry's latest conventions; `changes` are of its attributes."""
    held = {
        **{"gen_ai.operation.name": "chat", "gen_ai.request.model": MODEL, "gen_ai.request.max_tokens": 512},
        "gen_ai.input.messages": [
            {"role": "user", "parts": [{"type": "text", "content": f"question {number}"}]},
        ],
        **{"gen_ai.usage.input_tokens": 9, "gen_ai.usage.output_tokens": number + 1},
        **{"gen_ai.response.finish_reasons": ["stop"], "gen_ai.response.time_to_first_chunk": 0.1},
        "gen_ai.conversation.id": f"s{number}",
    } | changes
    return {
        **{"traceId": f"{number:032x}", "spanId": f"{number:016x}", "name": f"chat {MODEL}", "kind": 3},
        "startTimeUnixNano": str((START_S + number) * 10**9),
        "endTimeUnixNano": str((START_S + number) * 10**9 + 5 * 10**8),
        "attributes": attributes({name: value for name, value in held.items() if value is not None}),
        **{"status": {}, "events": []},
    }


def export(spans: Sequence[Json]) -> Json:
    """What an exporter sends at once."""
    resource = {"attributes": attributes({"service.name": "assistant"})}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "openai"}, "spans": spans}]}]}


def batch_question(number: int) -> Json:
    body = {"model": MODEL, "messages": [user(number)], "max_tokens": 512}
    return {"custom_id": f"c{number}", "method": "POST", "url": "/v1/chat/completions", "body": body}


def batch_answer(number: int) -> Json:
    response = {"status_code": 200, "request_id": f"q{number}", "body": completion(number)}
    return {"id": f"b{number}", "custom_id": f"c{number}", "response": response, "error": None}


def sharegpt(number: int) -> Json:
    turns = [{"from": "human", "value": f"question {number}"}, {"from": "gpt", "value": said(number)}]
    return {"id": f"s{number}", "conversations": turns}


def lmsys(number: int) -> Json:
    turns = [user(number), {"role": "assistant", "content": said(number)}]
    return {"conversation_id": f"s{number}", "model": MODEL, "conversation": turns, "turn": 1, "redacted": False}


def wildchat(number: int) -> Json:
    usage = {"prompt_tokens": 9, "completion_tokens": number + 1, "total_tokens": number + 10}
    answer = {"role": "assistant", "content": said(number), "timestamp": at(number), "usage": usage}
    turns = [{**user(number), "turn_identifier": 1, "timestamp": None, "usage": None}, answer]
    known = {"conversation_hash": f"s{number}", "model": MODEL, "timestamp": at(number), "hashed_ip": "a"}
    return {**known, "conversation": turns, "turn": 1}


def bench(size: int) -> Json:
    """Of `vllm bench serve --save-result --save-detailed`."""
    numbers = range(size)
    return {
        **{"date": "20261101-000000", "backend": "vllm", "model_id": MODEL, "tokenizer_id": MODEL, "num_prompts": size},
        **{"request_rate": 1.0, "duration": float(size), "completed": size, "request_throughput": 1.0},
        **{"total_input_tokens": 9 * size, "total_output_tokens": sum(numbers) + size},
        **{"input_lens": [9] * size, "output_lens": [number + 1 for number in numbers], "ttfts": [0.1] * size},
        **{"itls": [[0.01] * number for number in numbers], "latencies": [0.5] * size},
        **{"start_times": [5000.25 + number for number in numbers], "queue_times": [0.0] * size},
        **{"generated_texts": [said(number) for number in numbers], "errors": [""] * size},
    }


def guidellm_request(number: int) -> Json:
    body = {
        "model": MODEL,
        "stream": True,
        "messages": [{"role": "user", "content": [{"type": "text", "text": f"question {number}"}]}],
    }
    timings = {"request_start": START_S + number + 0.0, "first_token_iteration": START_S + number + 0.1}
    return {
        **{
            "request_id": f"r{number}",
            "request_args": json.dumps({"method": "POST", "body": body}),
            "output": said(number),
        },
        "info": {"status": "completed", "timings": {**timings, "request_end": START_S + number + 0.5}},
        **{"input_metrics": {"text_tokens": 9, "total_tokens": 9}, "output_metrics": {"text_tokens": number + 1}},
        **{"prompt_tokens": 9, "output_tokens": number + 1},
    }


def guidellm(size: int) -> Json:
    requests = {
        "successful": [guidellm_request(n) for n in range(size)],
        "incomplete": [],
        "errored": [],
        "total": None,
    }
    benchmark = {"type_": "generative_benchmark", "config": {"backend": {"model": MODEL}}, "requests": requests}
    return {"metadata": {"version": 2}, "config": {}, "benchmarks": [benchmark]}


def own(number: int) -> Json:
    known = {"model": MODEL, "arrival_s": START_S + number, "prompt_tokens": 9, "session": f"s{number}"}
    return {**known, "prompt": f"question {number}", "output_tokens": number + 1, "ending": "ended"}


def lines(make: Callable[[int], Json]) -> Callable[[Path, int], Path]:
    def write(folder: Path, size: int) -> Path:
        path = folder / "log.jsonl"
        path.write_text("".join(json.dumps(make(number)) + "\n" for number in range(size)))
        return path

    return write


def whole(make: Callable[[int], Json]) -> Callable[[Path, int], Path]:
    def write(folder: Path, size: int) -> Path:
        path = folder / "log.json"
        path.write_text(json.dumps(make(size)))
        return path

    return write


def two_files(folder: Path, size: int) -> Path:
    log = folder / "batch"
    log.mkdir()
    for name, make in (("input.jsonl", batch_question), ("output.jsonl", batch_answer)):
        (log / name).write_text("".join(json.dumps(make(number)) + "\n" for number in range(size)))
    return log


class Kind(NamedTuple):
    """A kind of log."""

    source: str
    write: Callable[[Path, int], Path]
    counts_tokens: bool = True
    has_prompts: bool = True
    has_times: bool = True


ALL_COLUMNS = Columns(
    prompt="prompt",
    length="output_tokens",
    arrival=ARRIVAL_COLUMN,
    prompt_tokens=PROMPT_TOKENS_COLUMN,
    has_params=True,
    has_details=True,
)
"""Of a log that an adapter has read: everything that it may say."""

KINDS = {
    "LiteLLM": Kind("LiteLLM", lines(spend_log)),
    "Langfuse, API": Kind(
        "Langfuse", whole(lambda size: {"data": [*map(observation, range(size))], "meta": {"page": 1}})
    ),
    "Langfuse, export": Kind("Langfuse", lines(exported_observation)),
    "OpenTelemetry": Kind("OpenTelemetry", whole(lambda size: export([*map(span, range(size))]))),
    "OpenAI batch": Kind("OpenAI batch", lines(lambda number: batch_question(number) | batch_answer(number))),
    "vllm run-batch": Kind("OpenAI batch", two_files),
    "ShareGPT": Kind("ShareGPT", lines(sharegpt), counts_tokens=False, has_times=False),
    "LMSYS-Chat": Kind("LMSYS-Chat", lines(lmsys), counts_tokens=False, has_times=False),
    "WildChat": Kind("WildChat", lines(wildchat)),
    "vllm bench serve": Kind("vllm bench serve", whole(bench), has_prompts=False),
    "guidellm": Kind("guidellm", whole(guidellm)),
    "own": Kind("own form", lines(own)),
}
