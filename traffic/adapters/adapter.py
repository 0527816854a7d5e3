"""What an adapter is: how a source is recognised, and how its records become requests."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from traffic.adapters.remarks import Misfit, Remarks
from traffic.cells.params import PARAMS_COLUMN, params_of
from traffic.rows.record import Record, Values
from traffic.rows.rules import ANSWER, DETAIL_COLUMNS, ENDING_COLUMNS, LENGTH_COLUMNS, MODEL

FAILED = "failed"
"""The ending of a request that brought no answer, whatever its source calls that."""
TEXTS = ("messages", "prompt", ANSWER)
BLANK: Mapping[str, None] = dict.fromkeys(
    (*TEXTS, MODEL, "arrival_s", "prompt_tokens", *DETAIL_COLUMNS, *LENGTH_COLUMNS, *ENDING_COLUMNS)
)
"""The columns of a request of which nothing is known, so that no column of a source passes for one of these."""


@dataclass(frozen=True)
class Adapter:
    """One source of logs.

    The requests that it makes have the columns of our own logs: `messages` or `prompt`, and what there is of the others
    in `BLANK` and of the parameters of requests. `answer` is the answer's text, for a tokenizer to count where its
    length is missing.
    """

    source: str
    """Its name, in words."""
    columns: tuple[str, ...]
    """What it reads, where a file has columns."""
    recognises: Callable[[Values], bool]
    """Whether a record comes from there."""
    requests: Callable[[Iterable[Record], Remarks], Iterator[Record]]
    """The requests in the records of all its files together."""


def request(values: Values, *known: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A request of which this is known, the last word counting; its record's other columns stay for who names one.

    Its parameters stand together in one column.
    """
    made: dict[str, Any] = {}
    for columns in (*known, more):
        made |= columns
    params = params_of(made)
    rest = {name: value for name, value in made.items() if name not in params}
    return {**values, **BLANK, **rest, **({PARAMS_COLUMN: params} if params else {})}


def one_by_one(
    requests_of: Callable[[Values, Remarks], Iterable[Values]],
) -> Callable[[Iterable[Record], Remarks], Iterator[Record]]:
    """The requests of a source whose records have nothing to do with each other."""

    def requests(records: Iterable[Record], remarks: Remarks) -> Iterator[Record]:
        for record in records:
            try:
                made = list(requests_of(record.values, remarks))
            except (Misfit, TypeError, ValueError, LookupError, AttributeError):  # a form that nobody expected
                remarks.add_misfit(record)
                continue
            for values in made:
                yield record._replace(values=values)

    return requests
