"""The facts that travel with a ranker's weights."""

from collections.abc import Callable
from math import inf
from pathlib import Path
from statistics import fmean
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from registry.artefact.calibration import Calibration
from registry.artefact.joint import JointSample
from registry.artefact.length_distribution import LengthDistribution
from registry.errors import UserError

CARD_FILE = "card.json"

REFERENCE_PROMPTS = (
    "Hi!",
    "What is the capital of Australia?",
    "Translate into French: The weather was lovely, so we walked along the river.",
    "Write a Python function that removes duplicates from a list and keeps the order. Explain each step.",
    "Erkläre in drei Sätzen, warum der Himmel blau ist.",
    "Rewrite this more politely: Send me the report today or I will ask somebody else.",
    "1. Boil the potatoes. 2. Drain them. 3. ... Continue this recipe for a potato salad.",
    "根据以下要点写一封简短的邮件：会议改到星期四，地点不变。",
    "Which of these is not a mammal: bat, dolphin, penguin, whale? Answer with one word.",
    "Classify the sentiment as positive or negative: 'The room was clean, but nobody answered the phone.'",
    "Write a story of about 800 words: a lighthouse keeper finds a letter in a bottle, and it is signed by herself.",
    "You are a careful assistant. Compare three ways to store 40 GB of sensor readings (CSV, Parquet, SQLite): size on"
    " disk, speed of a query over one day, how to append, and what breaks when a write is cut short. End with a table.",
)
"""Short and long, plain and not; 50 ms in all for the default encoder. Nobody's own, since they stand in the card."""

MOST_PROMPTS = 32
"""A card with more would keep a server from its start."""

REFERENCE_TOLERANCE = 0.01
"""The largest error that still counts as the same order. Scores that are off by a share m of their spread, on average,
agree with the right ones at tau-b 1 - √(2/π) m (all normal): 0.992 here. Float rounding, which differs from processor
to processor, moves few scores, so the mean of a dozen stays below 0.007; int8 sums that saturate move all of them, and
it lies around 0.035 (docs/results/ranking-cost.md). A root mean square would let one rounded score look like the
other."""

LEAST_SPREAD = 1e-6
"""A network that scores all prompts alike has no spread to measure by."""


class InvalidRanker(UserError, ValueError):
    """A folder that is not a ranker, or not the one asked for; the message says why."""


class ReferenceScores(BaseModel):
    """What a ranker's graph said of a few prompts when it was exported: they tell whether another machine agrees.

    The same graph gives other scores where the arithmetic is another one: int8 products that saturate on a processor
    without VNNI, another ONNX Runtime, a damaged build. Nothing fails then; only the order is not the tested one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    prompts: tuple[str, ...] = Field(min_length=1, max_length=MOST_PROMPTS)
    """What was asked: fixed ones, nobody's own."""
    scores: tuple[float, ...]
    """One a prompt."""
    spread: float = Field(gt=0)
    """Standard deviation of the scores of the validation prompts: the unit of an error."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.prompts) != len(self.scores):
            raise ValueError(f"one score a prompt, but got {len(self.scores)} for {len(self.prompts)} prompts.")
        return self

    @classmethod
    def of(cls, score: Callable[[str], float], spread: float) -> Self:
        """The reference scores of an exported graph.

        Raises: what `score` raises.
        """
        scores = tuple(score(prompt) for prompt in REFERENCE_PROMPTS)
        return cls(prompts=REFERENCE_PROMPTS, scores=scores, spread=max(spread, LEAST_SPREAD))

    def error(self, score: Callable[[str], float]) -> float:
        """How far the same graph lies from this here: mean difference, in spreads; infinite where it cannot score."""
        try:
            scores = [score(prompt) for prompt in self.prompts]
        except Exception:  # ONNX Runtime raises bare or private exception types
            return inf
        return fmean(abs(here - there) for here, there in zip(scores, self.scores, strict=True)) / self.spread


class InstantTier(BaseModel):
    """What a server must know of the tiny network before it trusts its scores; they are its own, higher = longer."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    max_characters: int = Field(ge=16)
    """Characters of a request that it reads; see `registry.window.token_window`."""
    max_tokens: int = Field(ge=8)
    """Tokens of these that it reads."""
    calibration: Calibration
    """Into predicted tokens, the unit of the encoder's."""
    reference: ReferenceScores | None = None
    """What its graph said of a few prompts where it was exported."""


Grouping = str | None
"""Whose hash split the prompts of a data set: `prompt`, their own, or that of a column of this name; None: unknown."""


class RankerCard(BaseModel):
    """What a server must know of a ranker before it trusts its scores. Score direction: higher = longer."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    target_llm: str = Field(min_length=1)
    """Exact name of the LLM whose answers are predicted."""
    encoder: str
    """Name or path of the encoder that was fine-tuned."""
    max_tokens: int = Field(ge=8)
    """Tokens of a prompt that the ranker reads; see `registry.window.token_window`."""
    text_rendering: str
    """`registry.window.token_window.TEXT_RENDERING` at training time."""
    features: tuple[str, ...] = ()
    """What it reads of a request beside the text (`registry.request_features`), of all that the vector holds: the
    others had one value in training, or none, and do not move it. None of them in a ranker of before, or by choice."""
    features_version: str | None = None
    """`FEATURES_VERSION` at training time; None of a ranker that reads no vector."""
    data_digest: str
    """Digest of the length log."""
    grouped_by: tuple[Grouping, ...] = (None,)
    """How the data was grouped when it was split, and then that of the rankers that it was started from; version 0.1.0
    did not say."""
    training_prompts: int = Field(ge=0)
    """How many it has learned from."""
    seed: int
    """Of that training."""
    calibration: Calibration
    """From the encoder's scores to predicted tokens."""
    distribution: LengthDistribution
    """Predicted tokens of the validation prompts, each as often as it came in the log."""
    joint: JointSample | None = None
    """The same beside the tokens of the prompts themselves; version 0.1.0 did not keep them."""
    metrics: dict[str, float] = {}
    """Test metrics, by name."""
    head: int = Field(default=0, ge=0)
    """Which of the outputs of the encoder's graph is its score: those of other target LLMs, that were trained with it,
    stand in the same graph."""
    instant: InstantTier | None = None
    """The tiny network beside the encoder; version 0.1.0 had none."""
    reference: ReferenceScores | None = None
    """What the encoder's graph said of a few prompts where it was exported; version 0.1.0 did not ask."""
    sha256: dict[str, str]
    """Digest of each other file of the artefact."""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the card of a ranker's folder.

        Raises:
            InvalidRanker: no card, or not a valid one.
        """
        path = folder / CARD_FILE
        if not path.is_file():
            raise InvalidRanker(f"a ranker's folder holds a {CARD_FILE}, but {folder} has none.")
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            raise InvalidRanker(f"{path} is not a valid card: {problems}") from error

    def distribution_of_work(self, work_s: Callable[[float, float], float]) -> LengthDistribution | None:
        """Q of what requests cost, by a function of prompt tokens and output tokens; None of a card without pairs."""
        if self.joint is None:
            return None
        return self.joint.distribution(lambda prompt, output: work_s(prompt, self.distribution.banded(output)))

    def write(self, folder: Path) -> None:
        """Write the card into a ranker's folder."""
        (folder / CARD_FILE).write_text(self.model_dump_json(indent=2), encoding="utf-8")
