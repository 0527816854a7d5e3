"""Langfuse's observations: of its API (camelCase), of its batch and blob exports (snake_case), or inside of traces.

Read in Langfuse 3, August 2026: `fern/apis/server` (API v1 and v2), `observation-field-groups.ts` (exports) and
`reduceUsageOrCostDetails`, by which the details of usage with `output` in their names add up to an answer's tokens.
Only observations of type GENERATION are an LLM's; API v2
returns inputs and usage only with `fields=core,basic,io,time,model,usage`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from traffic.adapters.adapter import FAILED, Adapter, one_by_one, request
from traffic.adapters.answer_text import text_of_answer
from traffic.adapters.openai_body import answers_in, asked, ending
from traffic.adapters.remarks import Misfit, Remarks
from traffic.cells.bad_cell import BadCell
from traffic.cells.counts import tokens_of
from traffic.cells.nested import nested, unpacked
from traffic.cells.params import params_of
from traffic.cells.times import seconds_between
from traffic.rows.record import Values

TYPES = frozenset(
    "SPAN EVENT GENERATION AGENT TOOL CHAIN RETRIEVER EVALUATOR EMBEDDING GUARDRAIL".split()  # noqa: SIM905
)
SNAKE_CASE = {
    "traceId": "trace_id",
    "startTime": "start_time",
    "endTime": "end_time",
    "completionStartTime": "completion_start_time",
    "usageDetails": "usage_details",
    "modelParameters": "model_parameters",
    "providedModelName": "provided_model_name",
    "toolDefinitions": "tool_definitions",
    "sessionId": "session_id",
    "userId": "user_id",
}
COLUMNS = (
    *SNAKE_CASE,
    *SNAKE_CASE.values(),
    "id",
    "type",
    "input",
    "output",
    "usage",
    "model",
    "level",
    "observations",
)

OTHER_TYPES = "{count} observations of Langfuse are no generations and were left out."
NO_INPUT = (
    "{count} generations of Langfuse hold no input; export them with it"
    " (API v2: fields=core,basic,io,time,model,usage)."
)


def _recognises(values: Values) -> bool:
    if isinstance(unpacked(values.get("observations")), list):
        return True
    is_observation = str(values.get("type")).upper() in TYPES
    return is_observation and (_either(values, "traceId") is not None or _either(values, "startTime") is not None)


def _requests(values: Values, remarks: Remarks) -> Iterator[dict[str, Any]]:
    inside = unpacked(values.get("observations"))
    if isinstance(inside, list):
        yield from _of_trace(values, inside, remarks)
        return
    if str(values.get("type")).upper() != "GENERATION":
        remarks.counts[OTHER_TYPES] += 1
        return
    remarks.counts[NO_INPUT] += values.get("input") in (None, "")
    yield _request(values)


def _of_trace(trace: Values, observations: list[Any], remarks: Remarks) -> Iterator[dict[str, Any]]:
    if observations and not any(isinstance(one, Mapping) for one in observations):
        raise Misfit  # a list of traces holds only the names of their observations
    for one in observations:
        if isinstance(one, Mapping):
            shared = {name: _either(one, name) or _either(trace, name) for name in ("sessionId", "userId")}
            yield from _requests({**one, **shared, "observations": None}, remarks)


def _request(values: Values) -> dict[str, Any]:
    output = unpacked(values.get("output"))
    start = _either(values, "startTime")
    usage = _usage(values) if answers_in(output) == 1 else {}
    has_failed = str(values.get("level")).upper() == "ERROR" and not usage.get("output_tokens")
    return request(
        values,
        _asked(values.get("input")),
        params_of(unpacked(_either(values, "modelParameters")) or {}),
        usage,
        answer=text_of_answer(values.get("output")),
        model=_either(values, "providedModelName") or values.get("model"),
        finish_reason=FAILED if has_failed else ending(output) or nested(output, "finish_reason"),
        arrival_s=start,
        time_to_first_token_s=seconds_between(start, _either(values, "completionStartTime")),
        end_to_end_s=seconds_between(start, _either(values, "endTime")),
        request_id=values.get("id"),
        session=_either(values, "sessionId"),
        tenant=_either(values, "userId"),
    )


def _either(values: Values, name: str) -> Any:
    """What stands in a column, by its name in the API or in exports."""
    value = values.get(name)
    return values.get(SNAKE_CASE[name]) if value is None else value


def _asked(held: Any) -> dict[str, Any]:
    """The columns of what was asked: text, a chat, or an object around either."""
    given = unpacked(held)
    if given is None or given == "":
        return {}
    if isinstance(held, str) and not _is_chat(given):
        return {"prompt": held}
    if isinstance(given, list):
        nested_once = len(given) == 1 and isinstance(given[0], list)  # as LangChain's callbacks have it
        return {"messages": given[0] if nested_once else given}
    if isinstance(given, Mapping) and ("role" in given or "from" in given):
        return {"messages": [given]}
    found = asked(given)
    if not (found.get("messages") or found.get("prompt")):
        raise Misfit
    return found


def _is_chat(given: Any) -> bool:
    """Whether what a text is the JSON of is a chat or an object; a text may be a list of numbers, too."""
    return isinstance(given, Mapping) or (
        isinstance(given, list) and any(isinstance(one, Mapping | list) for one in given)
    )


def _usage(values: Values) -> dict[str, Any]:
    details = _details(_either(values, "usageDetails"))
    older = _details(values.get("usage"))
    return {
        "output_tokens": _sum(details, "output") or older.get("output") or older.get("completionTokens") or None,
        "prompt_tokens": _sum(details, "input") or older.get("input") or older.get("promptTokens") or None,
        "reasoning_tokens": _sum({name: value for name, value in details.items() if "output" in name}, "reasoning"),
    }


def _details(value: Any) -> Mapping[str, Any]:
    value = unpacked(value)
    pairs = isinstance(value, list) and all(isinstance(pair, tuple) for pair in value)  # as parquet has a map
    return dict(value) if pairs else value if isinstance(value, Mapping) else {}


def _sum(details: Mapping[str, Any], word: str) -> Any:
    """The sum of those named with a word; a value that is no count comes back as it is, for the reader to refuse."""
    held = {name: value for name, value in details.items() if word in name and value is not None}
    try:
        counts = [tokens_of(value, name) for name, value in held.items()]
    except BadCell as cell:
        return held[cell.column]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


LANGFUSE = Adapter("Langfuse", COLUMNS, _recognises, one_by_one(_requests))
