"""OpenAI's batch files, and those of `vllm run-batch`: requests and responses that share a `custom_id`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from traffic.adapters.adapter import Adapter, Tell
from traffic.cells.nested import nested
from traffic.cells.params import params_of
from traffic.rows.record import Record, Values

FAILED = "failed"
COLUMNS = ("custom_id", "body", "response", "error")


def _recognises(values: Values) -> bool:
    return "custom_id" in values and bool({"body", "response"} & values.keys())


def _requests(records: Iterable[Record], tell: Tell) -> Iterator[Record]:
    """Each response as soon as its request is known, then what has no partner."""
    asked: dict[str, Record] = {}
    answered: dict[str, Record] = {}
    failures: Counter[str] = Counter()
    for record in records:
        name = str(record.values.get("custom_id"))
        body, response = _body(record.values), record.values.get("response")
        if response or record.values.get("error"):
            answered[name] = record._replace(values=_answer(record.values, failures))
        if body is not None:
            asked[name] = record._replace(values=_question(body))
        if name in asked and name in answered:
            yield _joined(asked.pop(name), answered.pop(name))
    yield from asked.values()
    yield from answered.values()
    _tell(tell, asked, answered, failures)


def _body(values: Values) -> Any:
    body = nested(values, "body")
    return body if isinstance(body, Mapping) else None


def _joined(asked: Record, answered: Record) -> Record:
    said = {name: value for name, value in answered.values.items() if value is not None}
    return asked._replace(values={**asked.values, **said})


def _question(body: Mapping[str, Any]) -> dict[str, Any]:
    asked = {"messages": _messages(body), "prompt": body.get("prompt"), "model": body.get("model")}
    return asked | params_of(body)


def _messages(body: Mapping[str, Any]) -> Any:
    if "input" not in body:
        return body.get("messages")
    given = body["input"]
    turns = [{"role": "user", "content": given}] if isinstance(given, str) else list(given)
    system = body.get("instructions")
    return [{"role": "system", "content": system}, *turns] if system else turns


def _answer(values: Values, failures: Counter[str]) -> dict[str, Any]:
    response = nested(values, "response")
    status = nested(response, "status_code")
    if values.get("error") or status not in (None, 200):
        failures[str(nested(values, "error", "code") or f"status {status}")] += 1
        return {"finish_reason": FAILED}
    body = nested(response, "body")
    return {
        "model": nested(body, "model"),
        "output_tokens": _first(body, "completion_tokens", "output_tokens") if _is_alone(body) else None,
        "prompt_tokens": _first(body, "prompt_tokens", "input_tokens"),
        "finish_reason": ending(body),
        "arrival_s": nested(body, "created") or nested(body, "created_at"),
    }


def ending(body: Any) -> Any:
    """The finish reason of an answer, as Chat Completions and as Responses have it."""
    reason = nested(body, "choices", 0, "finish_reason")
    return reason if reason is not None else nested(body, "incomplete_details", "reason") or nested(body, "status")


def _is_alone(body: Any) -> bool:
    """Whether the tokens are those of one answer; of several (`n`) only the sum is known."""
    return len(nested(body, "choices") or [1]) == 1


def _first(body: Any, *names: str) -> Any:
    return next((tokens for name in names if (tokens := nested(body, "usage", name)) is not None), None)


def _tell(tell: Tell, asked: Mapping[str, Record], answered: Mapping[str, Record], failures: Mapping[str, int]) -> None:
    if failures:
        each = ", ".join(f"{reason}: {count:,}" for reason, count in failures.items())
        tell(f"{sum(failures.values()):,} requests of the batch failed ({each}).")
    if answered:
        tell(
            f"{len(answered):,} responses of the batch have no prompts, which stand in its input file;"
            " give the folder that holds both."
        )
    if asked:
        tell(
            f"{len(asked):,} requests of the batch have no responses, which stand in its output file;"
            " give the folder that holds both."
        )


OPENAI_BATCH = Adapter("OpenAI batch", COLUMNS, _recognises, _requests)
