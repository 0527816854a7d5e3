"""The defaults of a training, once: the command line and MLproject read them from here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Any, Literal, Self

from registry.errors import InvalidInput
from traffic.labelled_prompts import MOST_TEST_PROMPTS, require_prompts_to_test
from traffic.length_log import LengthLogSource
from traffic.notes.encoders import DEFAULT_ENCODER
from training.least_values import require_least
from training.presets import PRESETS, Preset

PairWeighting = Literal["none", "length_gap"]


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(LengthLogSource):
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
    the values below."""
    encoder: str = DEFAULT_ENCODER
    """Name on the Hugging Face hub, path of a folder, or the encoder inside the package of this name."""
    init_from: str | None = None
    """Ranker of the same encoder whose weights are the start (warm start): `models:/NAME@ALIAS`,
    `models:/NAME/VERSION` or a folder; the encoder's own weights and a new head unless given."""
    seed: int = 0
    """Draws prompts, batches, the head and the trials; the split is not drawn."""
    shuffle_labels: bool = False
    """Train a control: lengths are dealt out at random among the prompts, so it can learn nothing."""

    preset: Preset = "default"
    """A named set of settings (`training/presets.py`); `paper` is the recipe of arXiv 2510.03243. Of its settings, one
    that is given another value is an error; one at its default counts as not given. It takes no study."""
    margin: float = 1.0
    """By how much the longer prompt of a pair must outscore the shorter before the pair costs nothing."""
    min_length_difference: float = 0.1
    """Pairs count only if the shorter length is at least this share below the longer one; 0 to below 1."""
    learning_rate: float = 3e-4
    """At its peak, after the warm-up."""
    warm_up: float = 0.1
    """Share of the steps in which the learning rate rises to its peak; it then falls in a straight line to 0."""
    weight_decay: float = 0.01
    """Of AdamW."""

    features: Literal["on", "off"] = "on"
    """Whether the ranker reads beside the text what a request asks for: `max_tokens`, tools, schema, reasoning effort,
    thinking, temperature, and the numbers of tokens, turns and code marks of the text. One that never varies in the log
    has no weight. `off` reads the text and the tools alone."""
    word_embeddings: Literal["frozen", "trained"] = "frozen"
    """The encoder's table of word embeddings, half of a small encoder: `frozen` keeps it as it was pretrained, which
    costs less and does better on prompts of another kind; `trained` trains it like the rest."""
    loss: str = "margin_ranking"
    """What training minimises: over pairs `margin_ranking` or `logistic`, over whole batches `list_mle`, or
    prompt by prompt `pointwise_l1`, on log tokens."""
    pair_weighting: PairWeighting = "none"
    """Pairs weigh the same, or with `length_gap` as the log of their longer ÷ shorter length."""
    pairing: Literal["in_batch", "sampled"] = "in_batch"
    """Encode each prompt once an epoch and pair it with all others of its batch, or sample pairs beforehand and encode
    a prompt anew for each of its pairs."""
    partners: int = 10
    """Partners that are drawn for a prompt at most, with pairing=sampled."""
    batch_pairs: int = 128
    """Pairs of one step, with pairing=sampled."""
    epochs: int = 3
    """Passes over the training prompts."""
    batch_prompts: int = 64
    """Prompts of one step, over all devices, with pairing=in_batch; all pairs of the batch count."""
    chunk_tokens: int = 512
    """Tokens, padding included, of prompts of similar length that are encoded together; more where a GPU would idle.
    Memory goes by it: of a batch of more than 8 such chunks the others are read once more for their gradients, which
    takes up to a third longer and no more memory."""
    max_tokens: int = 128
    """Tokens of a prompt that the ranker reads; travels in the card."""
    validation_prompts: int = 1000
    """Validation prompts at most, for the curves and the calibration."""
    test_prompts: int = MOST_TEST_PROMPTS
    """Test prompts at most, drawn by the seed; 0 tests all of them."""
    pruner: Literal["median", "none"] = "median"
    """`median` ends a trial whose validation tau is below the median of the earlier ones at the same step."""
    validations_per_epoch: int = 2
    """Points of the validation curve in an epoch; a trial can be pruned at each."""
    trial_prompts: int = 1500
    """Training prompts of one trial at most, so that a study costs little more than the final fit."""
    trial_validation_prompts: int = 500
    """Validation prompts of one trial at most."""
    precision: str = "auto"
    """`auto` is bf16-mixed where the processor computes in bf16 (1.5 times as fast, as accurate), else 32-true."""

    unlabelled: Path | None = None
    """Another log, of any form that `lengths` may have, whose prompts the instant tier learns from; lengths in it are
    not looked at. Labelled prompts beyond `max_prompts` and rows without a length are used anyway."""
    unlabelled_prompts: int = 10_000
    """Prompts without a length that the instant tier learns from at most, drawn by the seed; 0 uses training prompts
    alone. Each is read once by the encoder, which takes about a third of the time of an epoch on it."""
    distil_epochs: int = 6
    """Passes over these and the training prompts in which the instant tier learns the encoder's scores, twice as
    many where prompts are few; 0 registers a ranker without an instant tier."""

    storage: str | None = None
    """URL of a database for the study, such as sqlite:///study.db or postgresql://host/name; processes that name the
    same one share its trials. It is logged: leave a password to the driver's own means. In memory unless given."""
    study: str | None = None
    """Name of the study in the storage; the ranker's name unless given."""
    checkpoint: Path | None = None
    """Folder in which the training keeps its state; started again with the same settings it goes on where it
    stopped. The study's storage lies there too, unless given."""
    store_retry_s: float = 600
    """How long storing the finished ranker is tried again while MLflow is away, in seconds; then it is kept in a
    folder, and the command that registers it is told."""
    devices: int = 1
    """Processes (on GPUs, where there are any) that share the batches of the final fit; a trial uses one."""
    strategy: Literal["auto", "ddp"] = "auto"
    """How several devices train; both are data parallel: gradients are averaged at every step."""
    coverage: float = 1.0
    """Least share of the pairs of prompts that are told apart; closer predictions get the same place in the queue, so
    that arrival decides. 1 tells all apart."""

    def __post_init__(self) -> None:
        """Take the preset's values, and refuse values that no training can have."""
        self._apply_preset()
        if self.models:
            self._check_models()
        elif not self.target_llm.strip():
            raise InvalidInput("target_llm must name the LLM whose lengths these are, but got an empty name.")
        require_least(self)
        require_prompts_to_test("test_prompts", self.test_prompts)
        if self.margin <= 0 or self.learning_rate <= 0:
            raise InvalidInput(
                f"margin and learning_rate must be above 0, but got {self.margin} and {self.learning_rate}."
            )
        if not 0 <= self.min_length_difference < 1:
            raise InvalidInput(f"min_length_difference must be in [0, 1), but got {self.min_length_difference}.")
        if not 0 <= self.warm_up < 1 or self.weight_decay < 0:
            raise InvalidInput(
                "warm_up must be in [0, 1) and weight_decay at least 0,"
                f" but got {self.warm_up} and {self.weight_decay}."
            )
        if not 0 <= self.store_retry_s < inf:
            raise InvalidInput(f"store_retry_s must be at least 0, but got {self.store_retry_s}.")
        if not 0 < self.coverage <= 1:
            raise InvalidInput(f"coverage must be above 0 and at most 1, but got {self.coverage}.")

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
