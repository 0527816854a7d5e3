"""One label a distinct request, of all labelled rows: counted and sorted in Arrow's memory, or in parts on disk."""

from collections.abc import Iterable
from hashlib import blake2b
from itertools import repeat
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from traffic.cells.asked import NOTHING
from traffic.labelling.samples import label_of
from traffic.labelling.spilled_rows import SpilledRows
from traffic.split import fill_all_splits, hashes_of
from traffic.stored_texts import TextsWriter
from traffic.texts import Texts


class LabelledRow(NamedTuple):
    """One labelled answer."""

    prompt: str
    output_tokens: int
    is_censored: bool
    group: str | None = None
    """None where it is the prompt itself."""
    prompt_tokens: int | None = None
    """As the log has them."""
    asked: str | None = None
    """What is asked for beside the prompt (`traffic/cells/asked.py`)."""


ROWS = pa.schema(
    [
        pa.field("prompt", pa.large_string()),
        pa.field("output_tokens", pa.int64()),
        pa.field("is_censored", pa.bool_()),
        pa.field("group", pa.large_string()),
        pa.field("prompt_tokens", pa.int64()),
        pa.field("asked", pa.large_string()),
    ]
)
ROWS_WITH_HASH = ROWS.append(pa.field("hash", pa.uint64()))
MOST_BYTES = 1 << 26
"""What is sorted in memory; sorting takes some times as much."""


class PromptLabels(NamedTuple):
    """Distinct requests in the order of their prompts' hashes, each with its label.

    A request is a prompt and what is asked for beside it. Its group is the least of all rows of its prompt, so that no
    prompt stands in two of them.
    """

    prompts: Texts
    groups: Texts
    asked: Texts | None
    """What is asked for beside each prompt (`traffic/cells/asked.py`); None where no row of the log says anything."""
    output_tokens: npt.NDArray[np.float64]
    is_censored: npt.NDArray[np.bool_]
    occurrences: npt.NDArray[np.int64]
    """Labelled rows of each prompt."""
    prompt_tokens: npt.NDArray[np.float64]
    """Of each prompt, the mean of its rows; NaN where none says so."""

    @property
    def have_groups(self) -> bool:
        """Whether any row has one, so that not every prompt is its own."""
        return self.groups is not self.prompts

    def with_enough_groups(self) -> "PromptLabels":
        """The same; each prompt as its own group where groups are too few for each split to get one."""
        is_enough = not self.have_groups or fill_all_splits(self.groups) or not fill_all_splits(self.prompts)
        return self if is_enough else self._replace(groups=self.prompts)

    def digest(self) -> str:
        """A digest of the labels, whatever the files and their order; 32 characters, since MLflow takes at most 36."""
        digest = blake2b(digest_size=16)
        asked = repeat(()) if self.asked is None else ((cell,) for cell in self.asked)
        labels = zip(self.prompts, self.output_tokens.tolist(), self.is_censored.tolist(), strict=True)
        for label, its in zip(labels, asked, strict=False):
            digest.update(repr((*label, *its)).encode())
        return digest.hexdigest()


def label_prompts(batches: Iterable[pa.Table], most_bytes: int = MOST_BYTES) -> PromptLabels:
    """One label for all rows of a request; the rows come as columns, `ROWS`.

    Where there are more bytes of them, the rows go to disk, into buckets of consecutive hashes, which are labelled one
    after the other, and so do the distinct prompts: in memory are a bucket and some numbers a prompt.
    """
    held, spilled, has_groups, has_asked = [ROWS_WITH_HASH.empty_table()], None, False, False
    for rows in batches:
        has_groups |= rows["group"].null_count < len(rows)
        has_asked |= rows["asked"].null_count < len(rows)
        held.append(rows.append_column("hash", pa.array(hashes_of(Texts(rows["prompt"])))))
        if sum(table.nbytes for table in held) > most_bytes:
            spilled = spilled or SpilledRows(ROWS_WITH_HASH)
            spilled.add(pa.concat_tables(held))
            held = []
    rest = pa.concat_tables(held or [ROWS_WITH_HASH.empty_table()])
    if spilled is None:
        return _labelled(rest, has_groups, has_asked)
    spilled.add(rest)
    return _joined(_labelled(bucket, has_groups, has_asked) for bucket in spilled.buckets())


def _joined(parts: Iterable[PromptLabels]) -> PromptLabels:
    """The labels of buckets as those of one log; texts go to disk."""
    prompts, groups, asked, numbers = TextsWriter(), TextsWriter(), TextsWriter(), []
    for part in parts:
        prompts.add(part.prompts)
        have_groups, are_asked = part.have_groups, part.asked is not None
        if have_groups:
            groups.add(part.groups)
        if part.asked is not None:
            asked.add(part.asked)
        numbers.append(part[3:])
    stored = prompts.stored()
    return PromptLabels(
        stored,
        groups.stored() if have_groups else stored,
        asked.stored() if are_asked else None,
        *map(np.concatenate, zip(*numbers, strict=True)),
    )


def _labelled(table: pa.Table, has_groups: bool, has_asked: bool) -> PromptLabels:
    groups = pc.coalesce(table["group"], table["prompt"]) if has_groups else table["group"]
    table = _sorted(_with(table, "group", groups), "group")
    starts = _starts(table["prompt"])
    if has_asked:
        table = _by_request(table, starts)
        starts = _starts(table["prompt"], table["asked"])
    occurrences = np.diff(starts, append=len(table))
    labels = _labels(table, starts, occurrences)
    prompt_tokens = _prompt_tokens(table, occurrences)
    if len(starts) < len(table):
        table = table.select(["prompt", "group", "asked"]).take(pa.array(starts))
    prompts = Texts(table["prompt"])
    groups = Texts(table["group"]) if has_groups else prompts
    asked = Texts(table["asked"]) if has_asked else None
    return PromptLabels(prompts, groups, asked, *labels, occurrences, prompt_tokens)


def _sorted(table: pa.Table, last: str) -> pa.Table:
    return table.sort_by([(name, "ascending") for name in ("hash", "prompt", last)])


def _with(table: pa.Table, name: str, column: pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, column)


def _by_request(table: pa.Table, starts: npt.NDArray[np.int64]) -> pa.Table:
    """Rows, sorted by their prompts, sorted by requests, all of a prompt with the group of its first."""
    firsts = np.repeat(starts, np.diff(starts, append=len(table)))
    table = _with(table, "group", table["group"].take(pa.array(firsts)))
    return _sorted(_with(table, "asked", pc.fill_null(table["asked"], NOTHING)), "asked")


def _starts(*columns: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Where rows begin that differ from those before in one of the columns, of sorted rows."""
    is_new = [pc.not_equal(column[1:], column[:-1]).to_numpy().astype(np.bool_) for column in columns]
    first = np.full(min(1, len(columns[0])), True)
    return np.flatnonzero(np.concatenate([first, np.logical_or.reduce(is_new)]))


def _prompt_tokens(table: pa.Table, occurrences: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """What the sorted rows of each prompt say of it."""
    tokens = table["prompt_tokens"].to_numpy().astype(np.float64)  # nulls come as NaN
    is_known = tokens > 0
    prompts = np.repeat(np.arange(len(occurrences)), occurrences)[is_known]
    known = np.bincount(prompts, minlength=len(occurrences))
    sums = np.bincount(prompts, tokens[is_known], len(occurrences))
    return np.where(known > 0, sums / np.maximum(known, 1), np.nan)


def _labels(
    table: pa.Table, starts: npt.NDArray[np.int64], occurrences: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """The labels of sorted rows; most prompts have one row, which is their label."""
    tokens, is_cut = table["output_tokens"].to_numpy(), table["is_censored"].to_numpy().astype(np.bool_)
    output_tokens, is_censored = tokens[starts].astype(np.float64), is_cut[starts]
    for place in np.flatnonzero(occurrences > 1):
        its = slice(starts[place], starts[place] + occurrences[place])
        output_tokens[place], is_censored[place] = label_of(tokens[its].tolist(), is_cut[its].tolist())
    return output_tokens, is_censored
