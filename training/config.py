"""The defaults of a training, once: the command line and MLproject read them from here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

from registry.errors import InvalidInput
from traffic.length_log import LengthLogSource
from training.least_values import require_least
from training.presets import PRESETS, Preset
from training.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(Recipe, LengthLogSource):
    """How a ranker is trained, from the log to the registered version."""

    target_llm: str = ""
    """Exact name of the LLM whose answers are predicted, as the server will name it. Either this or `models`."""
    models: tuple[str, ...] = ()
    """Target LLMs that are trained together, on the answers of all: the values of the log's column `model`, or `all` of
    them. The encoder is one with a head for each, so that a server reads a request once for all; each becomes a ranker
    of its own, named as in the log."""
    max_prompts: int | None = None
    """Training prompts at most; all of them unless given."""
    trials: int = 0
    """Trials of a study of margin, least length difference and learning rate before the final fit; 0 trains once, with
    the values given."""
    init_from: str | None = None
    """Ranker of the same encoder whose weights are the start (warm start): `models:/NAME@ALIAS`,
    `models:/NAME/VERSION` or a folder; the encoder's own weights and a new head unless given."""
    shuffle_labels: bool = False
    """Train a control: lengths are dealt out at random among the prompts, so it can learn nothing."""

    preset: Preset = "default"
    """A named set of settings (`training/presets.py`); `paper` is the recipe of arXiv 2510.03243. Of its settings, one
    that is given another value is an error; one at its default counts as not given. It takes no study."""
    learning_rate: float = 3e-4
    """At its peak, after the warm-up."""
    epochs: int = 3
    """Passes over the training prompts."""
    pruner: Literal["median", "none"] = "median"
    """`median` ends a trial whose validation tau is below the median of the earlier ones at the same step."""
    trial_prompts: int = 1500
    """Training prompts of one trial at most, so that a study costs little more than the final fit."""
    trial_validation_prompts: int = 500
    """Validation prompts of one trial at most."""

    storage: str | None = None
    """URL of a database for the study, such as sqlite:///study.db or postgresql://host/name; processes that name the
    same one share its trials. It is logged: leave a password to the driver's own means. In memory unless given."""
    study: str | None = None
    """Name of the study in the storage; the ranker's name unless given."""
    checkpoint: Path | None = None
    """Folder in which the training keeps its state; started again with the same settings it goes on where it
    stopped. The study's storage lies there too, unless given."""

    def __post_init__(self) -> None:
        """Take the preset's values, and refuse values that no training can have."""
        self._apply_preset()
        if self.models:
            self._check_models()
        elif not self.target_llm.strip():
            raise InvalidInput("target_llm must name the LLM whose lengths these are, but got an empty name.")
        require_least(self)
        self.check_recipe()
        if self.learning_rate <= 0:
            raise InvalidInput(f"learning_rate must be above 0, but got {self.learning_rate}.")

    def _check_models(self) -> None:
        if self.target_llm or self.model is not None:
            raise InvalidInput(
                f"models names the target LLMs and their rows, but got target_llm={self.target_llm!r} and"
                f" model={self.model!r} too; leave these out."
            )
        if len({*self.models}) < len(self.models) or ("all" in self.models and len(self.models) > 1):
            raise InvalidInput(f"models must be all, or different names, but got {', '.join(self.models)}.")
        if self.trials or self.pairing != "in_batch":
            raise InvalidInput(
                "several target LLMs are trained without a study on the pairs of a batch, but got"
                f" trials={self.trials} and pairing={self.pairing}; give trials=0 and pairing=in_batch."
            )

    def _apply_preset(self) -> None:
        if self.preset not in PRESETS:
            raise InvalidInput(f"preset must be one of {', '.join(PRESETS)}, but got {self.preset!r}.")
        if self.preset != "default" and self.trials:
            raise InvalidInput(
                f"a study would change the values of preset={self.preset}, but got trials={self.trials}; give trials=0."
            )
        for name, value in PRESETS[self.preset].items():
            given = getattr(self, name)
            if given not in (value, getattr(TrainingConfig, name)):
                raise InvalidInput(
                    f"preset={self.preset} sets {name} to {value}, but got {name}={given}; leave one of the two out."
                )
            object.__setattr__(self, name, value)  # as the frozen dataclass itself sets its fields

    def with_values(self, values: Mapping[str, Any]) -> Self:
        """This config with some values changed, by the names of the fields."""
        return replace(self, **values)

    @property
    def study_storage(self) -> str | None:
        """Where the study lies: the storage given, else beside the checkpoint, else in memory (None)."""
        if self.storage is None and self.checkpoint is not None:
            return f"sqlite:///{self.checkpoint.absolute() / 'study.db'}"
        return self.storage

    @property
    def ranker_target_llm(self) -> str:
        """The name in the card: a control never takes the place of the ranker it is compared with."""
        return f"{self.target_llm}-control" if self.shuffle_labels else self.target_llm
