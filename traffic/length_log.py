"""Read, validate, split and digest a length log: what one LLM answered, in tokens, to which prompts."""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from registry.errors import InvalidInput
from traffic.labelled_prompts import LabelledPrompts
from traffic.labelling.labels import LabelledRow, PromptLabels, label_prompts
from traffic.notes.keyed_prompts import require_texts
from traffic.read import Reading
from traffic.row_fates import LEFT_OUT, RowCounts, labelled_rows
from traffic.rows.arrival_window import ArrivalWindow
from traffic.rows.rules import (
    ARRIVAL_COLUMN,
    PROMPT_TOKENS_COLUMN,
    SESSION,
    Columns,
    Need,
    RowRules,
    label_needs,
)
from traffic.split import Split, hashes_of, split_of

logger = logging.getLogger(__name__)

BY_PROMPT = "prompt"
"""How a log is grouped whose prompts are their own groups."""
FEW_SESSIONS = (
    "The log's sessions are too few to be split into train, validation and test, so prompts are split one by one;"
    " group_column=session keeps each session together all the same."
)


@dataclass(frozen=True, kw_only=True)
class LengthLogSource(RowRules):
    """Where a length log is and which of its columns and rows count."""

    lengths: Path
    """Length log, one row per answer: parquet, JSON Lines, JSON or CSV, also compressed by gzip or zstd, or a folder of
    such files; or a log of LiteLLM, Langfuse, OpenTelemetry, OpenAI's batches, guidellm, or a set of conversations."""
    model: str | None = None
    """Only the rows whose column `model` says this."""
    group_column: str | None = None
    """Column of a task or template; prompts with the same value fall into the same split. Unless given, those of the
    same `session`, where the log has that column and enough of them."""
    since: str | None = None
    """Only the rows that arrived at this moment or later: a date with its time, or seconds since 1970."""
    before: str | None = None
    """Only the rows that arrived before this moment: what came from then on is left for a later test."""
    arrival_column: str = ARRIVAL_COLUMN
    """Column of the arrival, for `since` and `before`."""

    def reading(self, with_chats: bool = False) -> Reading:
        """A pass over its rows; with the chats that stand beside prompts, if they are wanted."""
        return self.reading_by(self.group_column or SESSION, with_chats)

    def reading_by(self, group: str | None, with_chats: bool = False) -> Reading:
        """A pass over its rows, with their groups of this column; None for prompts that are their own.

        Raises:
            InvalidInput: `since` and `before` are no window.
        """
        window = ArrivalWindow.of(self.since, self.before)
        arrival = None if window.is_open else self.arrival_column
        needed = [name for name in (self.group_column, arrival) if name]
        return Reading(
            self.lengths,
            self,
            Columns(
                prompt=self.prompt_column,
                length=self.length_column,
                group=group,
                arrival=arrival,
                prompt_tokens=PROMPT_TOKENS_COLUMN,
                has_messages=with_chats,
                has_params=True,
            ),
            needs=[*label_needs(self), *(Need([name]) for name in needed)],
            model=self.model,
            window=window,
        )


@dataclass(frozen=True)
class LengthLog(LabelledPrompts):
    """One label per distinct request, in the order of the prompts' hashes (whatever the order of the rows was)."""

    splits: tuple[Split, ...]
    counts: RowCounts
    digest: str
    grouped_by: str
    """The group column's name, or `session`, or `prompt`."""
    notes: tuple[str, ...] = ()
    """What a user should know of how the log was read: sentences."""

    def size(self, split: Split | None) -> int:
        """How many prompts a split has, or all have."""
        return len(self) if split is None else self.splits.count(split)

    def part(
        self,
        split: Split | None,
        at_most: int | None = None,
        seed: int = 0,
        among: npt.NDArray[np.bool_] | None = None,
    ) -> LabelledPrompts:
        """The prompts of a split, or of all, `among` those flagged; of too many, those that the seed draws."""
        is_chosen = np.array([split in (None, one) for one in self.splits], dtype=np.bool_)
        chosen = np.flatnonzero(is_chosen if among is None else is_chosen & among)
        hashes = hashes_of(self.prompts, seed)[chosen]
        return self.take(chosen[np.argsort(hashes, kind="stable")][:at_most].tolist())


def read_length_log(source: LengthLogSource) -> LengthLog:
    """Read and validate a log; rows without a length, an answer or a text are left out, counted and logged.

    Raises:
        InvalidInput: the file, a column or a value is not what a length log holds; names row and column.
    """
    reading = source.reading()
    counts: Counter[str] = Counter()
    labels = label_prompts(labelled_rows(reading, counts))
    require_texts(len(labels.prompts), reading.keyed_prompts, source.lengths)
    _require_one_model(reading, source)
    counts |= Counter(
        rows=reading.num_rows,
        bad_rows=reading.bad.count,
        outside_window=reading.num_outside,
        misfits=reading.num_misfits,
    )
    found = labels
    labels = found if source.group_column else found.with_enough_groups()
    said = [] if labels is found else [FEW_SESSIONS]
    log = _log_of(labels, counts, _grouped_by(source, labels), (*reading.notes(), *said))
    logger.info("%s: %s; digest %s", source.lengths, log.counts.sentence, log.digest)
    for note in log.notes:
        logger.warning("%s", note)
    return _with_two_lengths(log, source)


def _grouped_by(source: LengthLogSource, labels: PromptLabels) -> str:
    return source.group_column or (SESSION if labels.have_groups else BY_PROMPT)


def read_rows(source: LengthLogSource) -> Iterator[LabelledRow]:
    """Every labelled answer of a log, in the order of the file.

    Raises:
        InvalidInput: as `read_length_log`.
    """
    reading = source.reading()
    for batch in labelled_rows(reading, Counter()):
        yield from map(LabelledRow._make, zip(*(column.to_pylist() for column in batch.columns), strict=True))
    _require_one_model(reading, source)


def _require_one_model(reading: Reading, source: LengthLogSource) -> None:
    names = sorted(reading.models)
    if source.model is None and len(names) > 1:
        raise InvalidInput(f"a ranker learns one model's lengths, but the log holds {_listed(names)}; give model=NAME.")
    if source.model is not None and not names:
        raise InvalidInput(
            f"model={source.model!r} chooses rows by the column 'model', but {source.lengths} has none; leave it out."
        )
    if source.model is not None and source.model not in names:
        raise InvalidInput(f"no row is of model {source.model!r}; the log holds {_listed(names)}.")


def _listed(names: list[str], at_most: int = 40) -> str:
    more = f" and {len(names) - at_most} more" if len(names) > at_most else ""
    return ", ".join(names[:at_most]) + more


def _with_two_lengths(log: LengthLog, source: LengthLogSource) -> LengthLog:
    if not len(log):
        became = asdict(log.counts)
        reasons = ", ".join(f"{became[reason]:,} {reason.replace('_', ' ')}" for reason in LEFT_OUT if became[reason])
        raise InvalidInput(
            f"no row of {source.lengths} has both a prompt and the length of its answer ({reasons})."
            + "".join(f" {note}" for note in log.notes)
        )
    lengths = len(np.unique(log.output_tokens))
    if lengths < 2:
        raise InvalidInput(
            f"a ranker needs answers of different lengths, but {source.lengths} has {len(log.prompts)} labelled"
            f" prompts with {lengths} distinct lengths in column {source.length_column!r}."
            + "".join(f" {note}" for note in log.notes)
        )
    return log


def _log_of(labels: PromptLabels, counts: Counter[str], grouped_by: str, notes: tuple[str, ...]) -> LengthLog:
    counts |= Counter(prompts=len(labels.prompts), censored_prompts=int(labels.is_censored.sum()))
    return LengthLog(
        prompts=labels.prompts,
        output_tokens=labels.output_tokens,
        is_censored=labels.is_censored,
        groups=labels.groups,
        occurrences=labels.occurrences,
        prompt_tokens=labels.prompt_tokens,
        asked=labels.asked,
        splits=tuple(map(split_of, labels.groups)),
        counts=RowCounts(**counts),
        digest=labels.digest(),
        grouped_by=grouped_by,
        notes=notes,
    )
