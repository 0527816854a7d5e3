"""What becomes of the rows of a length log: labelled, or left out for a reason; and how many of each there are."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import pyarrow as pa
import pyarrow.compute as pc

from traffic.labelling.labels import ROWS
from traffic.read import Reading

LABELLED = "labelled"


@dataclass(frozen=True)
class RowCounts:
    """What became of the rows: every row is in one of these but those that count prompts."""

    rows: int = 0
    labelled: int = 0
    no_length: int = 0
    """Null: not labelled, left out."""
    empty_answers: int = 0
    """Length 0, left out."""
    no_text: int = 0
    """An empty prompt, or one with parts that are not text: left out."""
    failed: int = 0
    """Requests that brought no answer: left out."""
    bad_rows: int = 0
    """Rows that break a rule, as far as they are tolerated: left out."""
    outside_window: int = 0
    """Rows that did not arrive between `since` and `before`, or nobody knows when: left out."""
    misfits: int = 0
    """Records that have not the form of the source that the log is from: left out."""
    prompts: int = 0
    """Distinct requests among the labelled rows: prompts, and what is asked for beside them."""
    censored_prompts: int = 0
    """Those of them whose label is censored."""

    @property
    def sentence(self) -> str:
        """What there is of each, if there is any."""
        return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in asdict(self).items() if count)


LEFT_OUT = ("no_length", "empty_answers", "no_text", "failed", "bad_rows", "outside_window", "misfits")
"""What becomes of rows that are not labelled."""


def labelled_rows(reading: Reading, counts: Counter[str]) -> Iterator[pa.Table]:
    """Every labelled answer of a pass over a log; `counts` is told what becomes of each row."""
    for rows in reading.batches():
        fates = _fates(rows)
        for value in pc.value_counts(fates).to_pylist():
            counts[value["values"]] += value["counts"]
        labelled = rows.filter(pc.equal(fates, LABELLED))
        is_censored = pc.not_equal(labelled["ending"], "ended")
        columns = [labelled["text"], labelled["output_tokens"], is_censored]
        yield pa.table([*columns, *(labelled[name] for name in ("group", "prompt_tokens", "asked"))], ROWS)


def _fates(rows: pa.Table) -> pa.ChunkedArray:
    """What `Row.left_out` says of each, or that it is labelled."""
    tokens, is_aborted = rows["output_tokens"], pc.equal(rows["ending"], "aborted")
    has_answer = pc.fill_null(pc.greater(tokens, 0), False)
    without = pc.if_else(is_aborted, "failed", pc.if_else(pc.is_null(tokens), "no_length", "empty_answers"))
    return pc.if_else(has_answer, pc.if_else(pc.is_null(rows["text"]), "no_text", LABELLED), without)
