"""Read, validate, split and digest a length log: what one LLM answered, in tokens, to which prompts."""

import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import blake2b
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from training.cells import output_tokens_of, text_of
from training.config import LengthLogSource, TrainingError
from training.split import Split, hash_of, split_of
from training.table import Columns, read_columns

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LabelledPrompts:
    """Prompts and the lengths of their answers, in tokens of the target LLM."""

    prompts: tuple[str, ...]
    output_tokens: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.prompts)

    def first(self, at_most: int | None) -> "LabelledPrompts":
        """The first of them, or all."""
        return LabelledPrompts(self.prompts[:at_most], self.output_tokens[:at_most])


@dataclass(frozen=True)
class RowCounts:
    """What became of the rows; every row is in one of these but `prompts`."""

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


@dataclass(frozen=True)
class LengthLog:
    """One label per distinct prompt, in the order of the prompts' hashes (whatever the order of the rows was)."""

    prompts: tuple[str, ...]
    output_tokens: npt.NDArray[np.float64]
    """Median over the samples of a prompt."""
    splits: tuple[Split, ...]
    finish_reasons: tuple[str | None, ...]
    """`length` if any sample was cut: its true length is only known to be at least that."""
    counts: RowCounts
    digest: str

    def part(self, split: Split, at_most: int | None = None, seed: int = 0) -> LabelledPrompts:
        """The prompts of a split; of too many, those that the seed draws."""
        chosen = [index for index, one in enumerate(self.splits) if one == split]
        chosen.sort(key=lambda index: hash_of(self.prompts[index], seed))
        kept = chosen[:at_most]
        return LabelledPrompts(tuple(self.prompts[index] for index in kept), self.output_tokens[kept])


class _Row(NamedTuple):
    prompt: str
    output_tokens: int
    group: str
    finish_reason: str | None


def read_length_log(source: LengthLogSource) -> LengthLog:
    """Read and validate a log; rows without a length, an answer or a text are left out, counted and logged.

    Raises:
        TrainingError: the file, a column or a value is not what a length log holds; names row and column.
    """
    rows, counts = _read_rows(source)
    log = _one_label_per_prompt(rows, counts)
    logger.info("length log %s: %s, digest %s", source.lengths, asdict(log.counts), log.digest)
    if len(np.unique(log.output_tokens)) < 2:
        raise TrainingError(
            f"a ranker needs answers of different lengths, but {source.lengths} has {len(log.prompts)} labelled"
            f" prompts with {len(np.unique(log.output_tokens))} distinct lengths in column {source.length_column!r}."
        )
    return log


def require_two_lengths(part: LabelledPrompts, split: Split) -> LabelledPrompts:
    """Return a split's prompts if they can be ranked at all.

    Raises:
        TrainingError: fewer than two distinct lengths.
    """
    if len(np.unique(part.output_tokens)) < 2:
        raise TrainingError(
            f"the {split} split must hold prompts with at least two different lengths, but has {len(part)} prompts;"
            " it is about a tenth of the log (eight tenths for train), so give some hundred prompts or more."
        )
    return part


def _read_rows(source: LengthLogSource) -> tuple[list[_Row], RowCounts]:
    columns = _read_source(source)
    chosen = _rows_of_model(columns.get("model"), source, len(columns[source.length_column]))
    rows: list[_Row] = []
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
            rows.append(_Row(text, output_tokens, text if group is None else str(group), reason))
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
            raise TrainingError(
                f"model={source.model!r} chooses rows by the column 'model', but {source.lengths} has none;"
                " leave it out."
            )
        return list(range(num_rows))
    names = sorted({str(name) for name in models})
    if source.model is None and len(names) > 1:
        raise TrainingError(
            f"a ranker learns one model's lengths, but the log holds {_listed(names)}; give model=NAME."
        )
    if source.model is not None and source.model not in names:
        raise TrainingError(f"no row is of model {source.model!r}; the log holds {_listed(names)}.")
    return [index for index, name in enumerate(models) if source.model in (None, str(name))]


def _listed(names: list[str], at_most: int = 40) -> str:
    more = f" and {len(names) - at_most} more" if len(names) > at_most else ""
    return ", ".join(names[:at_most]) + more


def _one_label_per_prompt(rows: list[_Row], counts: RowCounts) -> LengthLog:
    samples: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        samples[row.prompt].append(row)
    prompts = sorted(samples, key=lambda prompt: (hash_of(prompt), prompt))
    output_tokens = [float(median(row.output_tokens for row in samples[prompt])) for prompt in prompts]
    finish_reasons = tuple(_finish_reason(samples[prompt]) for prompt in prompts)
    return LengthLog(
        prompts=tuple(prompts),
        output_tokens=np.array(output_tokens, dtype=np.float64),
        splits=tuple(split_of(min(row.group for row in samples[prompt])) for prompt in prompts),
        finish_reasons=finish_reasons,
        counts=RowCounts(**{**asdict(counts), "prompts": len(prompts)}),
        digest=_digest(zip(prompts, output_tokens, finish_reasons, strict=True)),
    )


def _finish_reason(samples: list[_Row]) -> str | None:
    reasons = {row.finish_reason for row in samples if row.finish_reason is not None}
    return "length" if "length" in reasons else min(reasons, default=None)


def _digest(labels: Iterator[tuple[str, float, str | None]]) -> str:
    """Digest of the labels, whatever the file's format and order; 32 characters, since MLflow takes at most 36."""
    digest = blake2b(digest_size=16)
    for label in labels:
        digest.update(repr(label).encode())
    return digest.hexdigest()
