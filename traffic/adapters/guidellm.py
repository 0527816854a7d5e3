"""guidellm's reports: benchmarks, each with its requests, and their prompts where the file has them.

Read in guidellm 0.8 (`schemas/request_stats.py`, report version 2) and in 0.3 to 0.5: `request_args` is the JSON of
what was sent (in 0.4 and 0.5 Python's print of it); 0.3 has `prompt`. Prompts beyond `--sample-requests` are not kept.
"""

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from traffic.adapters.adapter import Adapter, one_by_one, request
from traffic.adapters.openai_body import asked
from traffic.adapters.remarks import Misfit, Remarks
from traffic.cells.nested import nested, unpacked
from traffic.cells.times import seconds_between
from traffic.rows.record import Values

ENDINGS = {"successful": None, "incomplete": "cancelled", "errored": "error"}
"""How the requests of a benchmark are filed, and how those of each ended."""

NO_PROMPT = "{count} requests of guidellm have no prompts in the report; have it keep those of all (sample_requests)."
NO_REQUESTS = "{count} benchmarks of guidellm hold no requests."
IMPOSED = "{count} requests of guidellm imposed the length of their answer (ignore_eos); these count as cut."


def _recognises(values: Values) -> bool:
    benchmarks = unpacked(values.get("benchmarks"))
    return isinstance(benchmarks, list) and all(isinstance(one, Mapping) for one in benchmarks)


def _requests(values: Values, remarks: Remarks) -> Iterator[dict[str, Any]]:
    for benchmark in unpacked(values["benchmarks"]):
        filed = benchmark.get("requests")
        if not isinstance(filed, Mapping):
            remarks.counts[NO_REQUESTS] += 1
            continue
        if not isinstance(filed.get("successful") or [], list):
            raise Misfit
        for kind, ending in ENDINGS.items():
            for one in filed.get(kind) or []:
                if isinstance(one, Mapping):
                    yield _request(one, ending, _model(values, benchmark), remarks)


def _request(one: Values, ending: str | None, model: Any, remarks: Remarks) -> dict[str, Any]:
    body = _body(one.get("request_args"))
    is_imposed = bool(nested(body, "ignore_eos"))
    timings = nested(one, "info", "timings") or nested(one, "scheduler_info", "timings") or {}
    start = _either(timings.get("request_start"), one.get("request_start_time"), one.get("start_time"))
    end = _either(timings.get("request_end"), one.get("request_end_time"), one.get("end_time"))
    made = request(
        {},
        {"prompt": one.get("prompt"), "model": model},
        asked(body),
        answer=one.get("output"),
        output_tokens=_tokens(one, "output"),
        prompt_tokens=_tokens(one, "input", "prompt"),
        finish_reason=ending or ("length" if is_imposed else None),
        arrival_s=start,
        time_to_first_token_s=seconds_between(
            start, _either(timings.get("first_token_iteration"), one.get("first_token_time"))
        ),
        end_to_end_s=seconds_between(start, end),
        request_id=one.get("response_id") or one.get("request_id"),
        session=nested(one, "info", "conversation_id"),
    )
    remarks.counts[IMPOSED] += is_imposed
    remarks.counts[NO_PROMPT] += not (made["messages"] or made["prompt"])
    return made


def _body(arguments: Any) -> Any:
    """The body that was sent, of arguments that are text: JSON, or what Python prints of an object."""
    if isinstance(arguments, str) and arguments.lstrip().startswith("{'"):
        try:
            arguments = ast.literal_eval(arguments)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None
    arguments = unpacked(arguments)
    return nested(arguments, "body") or arguments


def _tokens(one: Values, *names: str) -> Any:
    """Of the request's own count, or of what its metrics add up to."""
    counted = (one.get(f"{name}_tokens") for name in reversed(names))
    return _either(
        *counted, nested(one, f"{names[0]}_metrics", "total_tokens"), nested(one, f"{names[0]}_metrics", "text_tokens")
    )


def _model(report: Values, benchmark: Values) -> Any:
    return _either(
        nested(benchmark, "config", "backend", "model"),
        nested(report, "config", "backend", "model"),
        nested(report, "args", "model"),
        nested(benchmark, "worker", "backend_model"),
    )


def _either(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


GUIDELLM = Adapter("guidellm", ("benchmarks", "config", "args"), _recognises, one_by_one(_requests))
