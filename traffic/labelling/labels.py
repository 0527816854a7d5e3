"""One label a distinct prompt, of all labelled rows: counted and sorted in Arrow's memory, or in parts on disk."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

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


ROWS = pa.schema(
    [
        pa.field("prompt", pa.large_string()),
        pa.field("output_tokens", pa.int64()),
        pa.field("is_censored", pa.bool_()),
        pa.field("group", pa.large_string()),
        pa.field("prompt_tokens", pa.int64()),
    ]
)
ROWS_WITH_HASH = ROWS.append(pa.field("hash", pa.uint64()))
MOST_BYTES = 1 << 26
"""What is sorted in memory; sorting takes some times as much."""


class PromptLabels(NamedTuple):
    """Distinct prompts in the order of their hashes, each with its label and its group (the least of its rows')."""

    prompts: Texts
    groups: Texts
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
        for label in zip(self.prompts, self.output_tokens.tolist(), self.is_censored.tolist(), strict=True):
            digest.update(repr(label).encode())
        return digest.hexdigest()


def label_prompts(batches: Iterable[pa.Table], most_bytes: int = MOST_BYTES) -> PromptLabels:
    """One label for all rows of a prompt; the rows come as columns, `ROWS`.

    Where there are more bytes of them, the rows go to disk, into buckets of consecutive hashes, which are labelled one
    after the other, and so do the distinct prompts: in memory are a bucket and some numbers a prompt.
    """
    held, spilled, has_groups = [ROWS_WITH_HASH.empty_table()], None, False
    for rows in batches:
        has_groups |= rows["group"].null_count < len(rows)
        held.append(rows.append_column("hash", pa.array(hashes_of(Texts(rows["prompt"])))))
        if sum(table.nbytes for table in held) > most_bytes:
            spilled = spilled or SpilledRows(ROWS_WITH_HASH)
            spilled.add(pa.concat_tables(held))
            held = []
    rest = pa.concat_tables(held or [ROWS_WITH_HASH.empty_table()])
    if spilled is None:
        return _labelled(rest, has_groups)
    spilled.add(rest)
    return _joined((_labelled(bucket, has_groups) for bucket in spilled.buckets()), has_groups)


def _joined(parts: Iterable[PromptLabels], have_groups: bool) -> PromptLabels:
    """The labels of buckets as those of one log; texts go to disk."""
    prompts, groups, numbers = TextsWriter(), TextsWriter(), []
    for part in parts:
        prompts.add(part.prompts)
        if have_groups:
            groups.add(part.groups)
        numbers.append(part[2:])
    stored = prompts.stored()
    return PromptLabels(
        stored, groups.stored() if have_groups else stored, *map(np.concatenate, zip(*numbers, strict=True))
    )


def _labelled(table: pa.Table, has_groups: bool) -> PromptLabels:
    groups = pc.coalesce(table["group"], table["prompt"]) if has_groups else table["group"]
    table = table.set_column(table.schema.get_field_index("group"), "group", groups)
    table = table.sort_by([(name, "ascending") for name in ("hash", "prompt", "group")])
    starts = _starts(table["prompt"])
    occurrences = np.diff(starts, append=len(table))
    labels = _labels(table, starts, occurrences)
    prompt_tokens = _prompt_tokens(table, occurrences)
    if len(starts) < len(table):
        table = table.select(["prompt", "group"]).take(pa.array(starts))
    prompts = Texts(table["prompt"])
    return PromptLabels(prompts, Texts(table["group"]) if has_groups else prompts, *labels, occurrences, prompt_tokens)


def _starts(prompts: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Where the rows of each prompt begin, of sorted rows."""
    is_new = pc.not_equal(prompts[1:], prompts[:-1]).to_numpy().astype(np.bool_)
    return np.flatnonzero(np.concatenate([np.full(min(1, len(prompts)), True), is_new]))


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
