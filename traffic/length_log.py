"""Read, validate, split and digest a length log: what one LLM answered, in tokens, to which prompts."""

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from registry.errors import InvalidInput
from traffic.cells import output_tokens_of, text_of
from traffic.labelled_prompts import LabelledPrompts
from traffic.samples import Label, label_of
from traffic.split import Split, hash_of, split_of
from traffic.table import Columns, read_columns

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class LengthLogSource:
    """Where a length log is and which of its columns and rows count."""

    lengths: Path
    """Length log: parquet or JSON Lines, one row per answer."""
    prompt_column: str = "prompt"
    """Column of the prompt: text, or a list of chat messages; a row without it falls back on the column `messages`,
    if there is one."""
    length_column: str = "output_tokens"
    """Column of the answer's length, in tokens of the target LLM."""
    model: str | None = None
    """Only the rows whose column `model` says this."""
    group_column: str | None = None
    """Column of a task or template; prompts with the same value fall into the same split."""


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
    prompts: int = 0
    """Distinct prompts among the labelled rows."""
    censored_prompts: int = 0
    """Those of them whose label is censored."""


@dataclass(frozen=True)
class LengthLog(LabelledPrompts):
    """One label per distinct prompt, in the order of the prompts' hashes (whatever the order of the rows was)."""

    groups: tuple[str, ...]
    """What the split is a function of: the prompt itself, or its value of the group column."""
    splits: tuple[Split, ...]
    counts: RowCounts
    digest: str

    def part(self, split: Split | None, at_most: int | None = None, seed: int = 0) -> LabelledPrompts:
        """The prompts of a split, or of all; of too many, those that the seed draws."""
        chosen = [index for index, one in enumerate(self.splits) if split in (None, one)]
        chosen.sort(key=lambda index: hash_of(self.prompts[index], seed))
        return self.take(chosen[:at_most])


class Row(NamedTuple):
    """One labelled answer."""

    prompt: str
    output_tokens: int
    group: str
    is_cut: bool


def read_length_log(source: LengthLogSource) -> LengthLog:
    """Read and validate a log; rows without a length, an answer or a text are left out, counted and logged.

    Raises:
        InvalidInput: the file, a column or a value is not what a length log holds; names row and column.
    """
    rows, counts = read_rows(source)
    log = _one_label_per_prompt(rows, counts)
    logger.info("length log %s: %s, digest %s", source.lengths, asdict(log.counts), log.digest)
    if len(np.unique(log.output_tokens)) < 2:
        raise InvalidInput(
            f"a ranker needs answers of different lengths, but {source.lengths} has {len(log.prompts)} labelled"
            f" prompts with {len(np.unique(log.output_tokens))} distinct lengths in column {source.length_column!r}."
        )
    return log


def read_rows(source: LengthLogSource) -> tuple[list[Row], RowCounts]:
    """Every labelled answer of a log, in the order of the file, and what became of all rows.

    Raises:
        InvalidInput: as `read_length_log`.
    """
    columns = _read_source(source)
    chosen = _rows_of_model(columns.get("model"), source, len(columns[source.length_column]))
    rows: list[Row] = []
    left_out: dict[str, int] = defaultdict(int)
    for index in chosen:
        output_tokens = output_tokens_of(columns[source.length_column][index], index, source.length_column)
        text = text_of(columns, index, source.prompt_column)
        if output_tokens is None:
            left_out["no_length"] += 1
        elif output_tokens == 0:
            left_out["empty_answers"] += 1
        elif text is None:
            left_out["no_text"] += 1
        else:
            group = columns[source.group_column][index] if source.group_column else None
            reason = columns["finish_reason"][index] if "finish_reason" in columns else None
            rows.append(Row(text, output_tokens, text if group is None else str(group), reason == "length"))
    return rows, RowCounts(rows=len(chosen), labelled=len(rows), **left_out)


def _read_source(source: LengthLogSource) -> Columns:
    optional = ["messages", "model", "finish_reason"]
    required = [source.length_column] + ([source.group_column] if source.group_column else [])
    if source.prompt_column == LengthLogSource.prompt_column:
        columns = read_columns(source.lengths, required, [source.prompt_column, *optional])
        if source.prompt_column in columns or "messages" in columns:
            return columns
    return read_columns(source.lengths, [source.prompt_column, *required], optional)


def _rows_of_model(models: list[Any] | None, source: LengthLogSource, num_rows: int) -> list[int]:
    if models is None:
        if source.model is not None:
            raise InvalidInput(
                f"model={source.model!r} chooses rows by the column 'model', but {source.lengths} has none;"
                " leave it out."
            )
        return list(range(num_rows))
    names = sorted({str(name) for name in models})
    if source.model is None and len(names) > 1:
        raise InvalidInput(f"a ranker learns one model's lengths, but the log holds {_listed(names)}; give model=NAME.")
    if source.model is not None and source.model not in names:
        raise InvalidInput(f"no row is of model {source.model!r}; the log holds {_listed(names)}.")
    return [index for index, name in enumerate(models) if source.model in (None, str(name))]


def _listed(names: list[str], at_most: int = 40) -> str:
    more = f" and {len(names) - at_most} more" if len(names) > at_most else ""
    return ", ".join(names[:at_most]) + more


def _one_label_per_prompt(rows: list[Row], counts: RowCounts) -> LengthLog:
    samples: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        samples[row.prompt].append(row)
    prompts = sorted(samples, key=lambda prompt: (hash_of(prompt), prompt))
    labels = [_label(samples[prompt]) for prompt in prompts]
    groups = tuple(min(row.group for row in samples[prompt]) for prompt in prompts)
    output_tokens, is_censored = zip(*labels, strict=True) if labels else ((), ())
    return LengthLog(
        prompts=tuple(prompts),
        output_tokens=np.array(output_tokens, dtype=np.float64),
        is_censored=np.array(is_censored, dtype=np.bool_),
        groups=groups,
        splits=tuple(split_of(group) for group in groups),
        counts=replace(counts, prompts=len(prompts), censored_prompts=sum(is_censored)),
        digest=_digest(zip(prompts, output_tokens, is_censored, strict=True)),
    )


def _label(samples: Sequence[Row]) -> Label:
    return label_of([row.output_tokens for row in samples], [row.is_cut for row in samples])


def _digest(labels: Iterator[tuple[str, float, bool]]) -> str:
    """Digest of the labels, whatever the file's format and order; 32 characters, since MLflow takes at most 36."""
    digest = blake2b(digest_size=16)
    for label in labels:
        digest.update(repr(label).encode())
    return digest.hexdigest()
