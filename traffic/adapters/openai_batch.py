"""OpenAI's batch files, and those of `vllm run-batch`: requests and responses that share a `custom_id`.

Read in vLLM 0.32 (`entrypoints/openai/run_batch.py`) and the Batch API's reference: an input file has `body`, output
and error files `response` and `error`. Both halves may stand in one file, in one record, or in several
files of a folder.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from traffic.adapters.adapter import FAILED, Adapter, request
from traffic.adapters.openai_body import answered, asked
from traffic.adapters.remarks import Remarks
from traffic.cells.names import name_of
from traffic.cells.nested import nested, unpacked
from traffic.rows.record import Record, Values

COLUMNS = ("custom_id", "body", "response", "error")

ELSEWHERE = "give the folder that holds both"
NO_PROMPTS = f"{{count}} responses of the batch have no prompts, which stand in its input file; {ELSEWHERE}."
NO_RESPONSES = f"{{count}} requests of the batch have no responses, which stand in its output file; {ELSEWHERE}."
AGAIN = (
    "{count} requests or responses of the batch have a custom_id that came before and were left out;"
    " give each batch a folder of its own."
)
UNNAMED = "{count} records of the batch have no custom_id, by which a request finds its response."


def _recognises(values: Values) -> bool:
    return "custom_id" in values and bool({"body", "response", "error"} & values.keys())


def _requests(records: Iterable[Record], remarks: Remarks) -> Iterator[Record]:
    """Each response as soon as its request is known, then what has no partner."""
    halves = _Halves()
    failures: Counter[str] = Counter()
    for record in records:
        question, answer = asked(record.values.get("body")), _answer(record.values, failures)
        name = _name(record.values)
        if not question and not answer:
            remarks.add_misfit(record)
        elif name is None or (question and answer):
            remarks.counts[UNNAMED] += name is None
            yield record._replace(values=request(record.values, question, answer, request_id=name))
        elif not halves.take(record._replace(values=request(record.values, question, answer)), name, bool(question)):
            remarks.counts[AGAIN] += 1
        else:
            yield from halves.joined(name)
    yield from halves.alone()
    remarks.counts += Counter({NO_PROMPTS: len(halves.answered), NO_RESPONSES: len(halves.asked)})
    if failures:
        each = ", ".join(f"{reason}: {count:,}" for reason, count in failures.items())
        remarks.tell(f"{failures.total():,} requests of the batch failed ({each}).")


class _Halves:
    """Requests and responses that wait for each other.

    What has a `custom_id` that came before is not taken: joined with the wrong half it would be a wrong label. A
    request may reuse that of one which was answered, and an answer comes before a failure, as of what was tried twice.
    """

    def __init__(self) -> None:
        self.asked: dict[str, Record] = {}
        self.answered: dict[str, Record] = {}
        self._done: set[str] = set()

    def take(self, half: Record, name: str, is_question: bool) -> bool:
        """Whether it could be taken."""
        if is_question:
            return self.asked.setdefault(name, half) is half
        before = self.answered.get(name)
        has_failed = before is not None and before.values["finish_reason"] == FAILED
        if (before is not None and not has_failed) or (name in self._done and name not in self.asked):
            return False
        self.answered[name] = half
        return True

    def joined(self, name: str) -> Iterator[Record]:
        """The whole request, if both halves are there."""
        if name in self.asked and name in self.answered:
            self._done.add(name)
            question, answer = self.asked.pop(name), self.answered.pop(name)
            said = {column: value for column, value in answer.values.items() if value is not None}
            yield question._replace(values={**question.values, **said, "request_id": name})

    def alone(self) -> Iterator[Record]:
        """What has no other half."""
        yield from self.asked.values()
        yield from self.answered.values()


def _name(values: Values) -> str | None:
    name = name_of(values.get("custom_id"))
    return name or None


def _answer(values: Values, failures: Counter[str]) -> dict[str, Any]:
    response, error = unpacked(values.get("response")), unpacked(values.get("error"))
    if not response and not error:
        return {}
    status = nested(response, "status_code")
    if error or str(status) not in ("None", "200"):
        failures[str(nested(error, "code") or f"status {status}")] += 1
        return {"finish_reason": FAILED}
    body = nested(response, "body")
    arrival = nested(body, "created") or nested(body, "created_at")
    return {**answered(body), "model": nested(body, "model"), "arrival_s": arrival}


OPENAI_BATCH = Adapter("OpenAI batch", COLUMNS, _recognises, _requests)
