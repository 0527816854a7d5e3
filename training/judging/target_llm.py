"""A target LLM's part of a length log, as an evaluation needs it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from registry.artefact.card import Grouping
from registry.order.certain_pairs import Values
from registry.request_features import RequestView
from traffic.grouping import unseen_part
from traffic.labelled_prompts import LabelledPrompts, require_two_lengths
from traffic.length_log import LengthLog, LengthLogSource, read_length_log
from training.judging.resampling import read_samples

TestedPart = Literal["test", "all"]


@dataclass(frozen=True)
class Target:
    """One target LLM and its test prompts."""

    model: str
    """The chosen name in the log's column `model`; the log's file name if none was chosen."""
    log: LengthLog
    test: LabelledPrompts
    prompts_in_log: int
    """Of how many the test prompts were drawn."""
    repeated: dict[RequestView, Values]
    """Output tokens of each answer that was not cut, for the tested requests with at least two of these."""

    notes: tuple[str, ...]
    """Which rankers' data was grouped otherwise than this log, and what became of the prompts: sentences."""

    @property
    def slug(self) -> str:
        """The name in characters that MLflow takes for a metric."""
        return re.sub(r"[^A-Za-z0-9_.: -]", "-", self.model)


def read_target(
    source: LengthLogSource,
    part: TestedPart,
    max_prompts: int,
    seed: int,
    grouped_by: Mapping[str, Sequence[Grouping]],
) -> Target:
    """Read the rows of a target LLM and take its test prompts, or all; of too many (0: none is), those the seed draws.

    Test prompts that one of the rankers was trained on are left out; `grouped_by` its name is how its data was grouped.

    Raises:
        InvalidInput: the log cannot be used.
    """
    log = read_length_log(source)
    split = None if part == "all" else part
    tested = unseen_part(source, log, grouped_by, split, max_prompts or None, seed)
    test = require_two_lengths(tested.prompts, part, tested.notes)
    repeated = _repeated(source, test) if log.counts.labelled > log.counts.prompts else {}
    return Target(source.model or source.lengths.stem, log, test, tested.in_log, repeated, tested.notes)


def _repeated(source: LengthLogSource, test: LabelledPrompts) -> dict[RequestView, Values]:
    samples = read_samples(source, test)
    return {view: samples[view] for view in test.views if len(samples.get(view, ())) > 1}
