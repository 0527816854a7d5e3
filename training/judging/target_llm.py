"""A target LLM's part of a length log, as an evaluation needs it."""

import re
from dataclasses import dataclass
from typing import Literal

from traffic.labelled_prompts import LabelledPrompts, require_two_lengths
from traffic.length_log import LengthLog, LengthLogSource, read_length_log
from training.judging.resampling import read_samples
from training.judging.statistics.certain_pairs import Values

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
    repeated: dict[str, Values]
    """Output tokens of each answer that was not cut, for the test prompts with at least two of these."""

    @property
    def slug(self) -> str:
        """The name in characters that MLflow takes for a metric."""
        return re.sub(r"[^A-Za-z0-9_.: -]", "-", self.model)


def read_target(source: LengthLogSource, part: TestedPart, max_prompts: int, seed: int) -> Target:
    """Read the rows of a target LLM and take its test prompts, or all; of too many (0: none is), those the seed draws.

    Raises:
        InvalidInput: the log cannot be used.
    """
    log = read_length_log(source)
    split = None if part == "all" else part
    test = require_two_lengths(log.part(split, max_prompts or None, seed), part)
    repeated = _repeated(source, test) if log.counts.labelled > log.counts.prompts else {}
    return Target(source.model or source.lengths.stem, log, test, log.size(split), repeated)


def _repeated(source: LengthLogSource, test: LabelledPrompts) -> dict[str, Values]:
    samples = read_samples(source, test.prompts)
    return {prompt: samples[prompt] for prompt in test.prompts if len(samples.get(prompt, ())) > 1}
