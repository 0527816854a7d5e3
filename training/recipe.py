"""How a ranker is fitted, whatever it learns from: the settings that every training shares."""

from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Literal

from registry.errors import InvalidInput
from traffic.labelled_prompts import MOST_TEST_PROMPTS, require_prompts_to_test
from traffic.notes.encoders import DEFAULT_ENCODER

PairWeighting = Literal["none", "length_gap"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network is fitted to labelled prompts, and what is made of it."""

    encoder: str = DEFAULT_ENCODER
    """Name on the Hugging Face hub, path of a folder, or the encoder inside the package of this name."""
    seed: int = 0
    """Draws prompts, batches, the head and the trials; the split is not drawn."""
    soup: int = 1
    """Trainings, each with batches of its own from the same first weights, whose weights are averaged into one network
    (a model soup, arXiv 2203.05482): for logs of some thousand prompts. It takes so many times as long to train, and is
    served as fast."""

    margin: float = 1.0
    """By how much the longer prompt of a pair must outscore the shorter before the pair costs nothing."""
    min_length_difference: float = 0.1
    """Pairs count only if the shorter length is at least this share below the longer one; 0 to below 1."""
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
    validations_per_epoch: int = 2
    """Points of the validation curve in an epoch; a trial can be pruned at each."""
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
    devices: int = 1
    """Processes (on GPUs, where there are any) that share the batches of the final fit; a trial uses one."""
    strategy: Literal["auto", "ddp"] = "auto"
    """How several devices train; both are data parallel: gradients are averaged at every step."""
    coverage: float = 1.0
    """Least share of the pairs of prompts that are told apart; closer predictions get the same place in the queue, so
    that arrival decides. 1 tells all apart."""
    store_retry_s: float = 600
    """How long storing the finished ranker is tried again while MLflow is away, in seconds; then it is kept in a
    folder, and the command that registers it is told."""

    def check_recipe(self) -> None:
        """Refuse values that no training can have.

        Raises:
            InvalidInput: names the setting, its bounds and the value received.
        """
        require_prompts_to_test("test_prompts", self.test_prompts)
        if self.margin <= 0:
            raise InvalidInput(f"margin must be above 0, but got {self.margin}.")
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
