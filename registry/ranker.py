"""A ranker: reads a prompt and says how long the target LLM's answer will be relative to other prompts.

Data only: an ONNX graph, a tokenizer and a card. Nothing here is unpickled or executed as Python.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import file_digest
from math import isfinite
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer
from tqdm import tqdm

from registry.artefact.card import CARD_FILE, REFERENCE_TOLERANCE, InvalidRanker, RankerCard
from registry.request import TEXT_RENDERING, UnrankableContent, encode

logger = logging.getLogger(__name__)

ONNX_FILE = "ranker.onnx"
TOKENIZER_FILE = "tokenizer.json"
RANKER_FILES = (ONNX_FILE, TOKENIZER_FILE, CARD_FILE)
"""All that is served. Float weights are left out, or every server would download five times as much."""
WEIGHTS_FILE = "weights.safetensors"
"""Float weights, for another training to start from. Scoring does without: see `registry/artefact/weights.py`."""
PLOTS_FOLDER = "plots"
"""Pictures of how well it orders its test prompts; they go with the run."""


@dataclass(frozen=True)
class Prediction:
    """What a ranker says of one prompt. All three rise with the expected length."""

    score: float
    """Unitless; comparable within one ranker version only."""
    predicted_tokens: float
    """Comparable across rankers."""
    quantile: float
    """Place among all predicted lengths, 0 to 1."""


class Scorer:
    """The bare network: a prompt in, a score out (higher = longer). One thread; safe to call from several."""

    def __init__(self, onnx_path: Path, tokenizer_path: Path, max_tokens: int) -> None:
        onnxruntime.disable_telemetry_events()  # for whoever loads a ranker without our commands, as pyfunc does
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(onnx_path, options, providers=["CPUExecutionProvider"])
            self._tokenizer = Tokenizer.from_file(str(tokenizer_path))
        except Exception as error:  # both libraries raise bare or private exception types
            raise InvalidRanker(f"the network or tokenizer in {onnx_path.parent} does not load: {error}") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._max_tokens = max_tokens

    def score(self, prompt: str) -> float:
        """Score one prompt. One a call, because int8 makes a score depend on its batch mates.

        Raises:
            UnrankableContent: an empty prompt.
            FloatingPointError: the network's answer is not finite.
        """
        if not prompt.strip():
            raise UnrankableContent("empty")
        ids = np.asarray([encode(self._tokenizer, prompt, self._max_tokens)], dtype=np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        score = float(np.asarray(self._session.run(["score"], inputs)[0]).reshape(()))
        if not isfinite(score):
            raise FloatingPointError(f"a score must be finite, but the ranker returned {score}.")
        return score

    def score_all(self, prompts: Sequence[str], progress: str | None = None) -> npt.NDArray[np.float64]:
        """Score prompts one by one, with a progress bar under the title `progress`."""
        shown = tqdm(prompts, desc=progress, unit="prompt", disable=progress is None, mininterval=1)
        return np.array([self.score(prompt) for prompt in shown], dtype=np.float64)


class Ranker:
    """A loaded ranker and its card."""

    def __init__(self, card: RankerCard, scorer: Scorer) -> None:
        self.card = card
        self.scorer = scorer

    @classmethod
    def load(cls, folder: Path, target_llm: str | None = None) -> Self:
        """Load a ranker's folder after checking that it is whole and meant for this code (and `target_llm`).

        One that scores otherwise here than where it was trained is loaded all the same, with a warning.

        Raises:
            InvalidRanker: a file is missing or changed, or the text rendering or target LLM is another one.
        """
        card = RankerCard.read(folder)
        _check_card(card, target_llm)
        for name in (ONNX_FILE, TOKENIZER_FILE):
            check_digest(folder / name, card.sha256.get(name))
        ranker = cls(card, Scorer(folder / ONNX_FILE, folder / TOKENIZER_FILE, card.max_tokens))
        ranker._warn_of_other_scores()
        return ranker

    @cached_property
    def reference_error(self) -> float | None:
        """How far the scores lie here from those at training, in spreads of them; None if the card has none.

        Above `REFERENCE_TOLERANCE` the order is not the one that was tested.
        """
        reference = self.card.reference
        return None if reference is None else reference.error(self.scorer.score)

    def predict(self, prompt: str) -> Prediction:
        """Predict the answer's length.

        Raises: what `Scorer.score` raises.
        """
        score = self.scorer.score(prompt)
        return Prediction(score, self.card.calibration.predicted_tokens(score), self.quantile_of(score))

    def quantile_of(self, score: float) -> float:
        """The place among this ranker's own predictions that a score earns."""
        return self.card.distribution.quantile(self.card.calibration.predicted_tokens(score))

    def quantiles_of(self, prompts: Sequence[str], progress: str | None = None) -> npt.NDArray[np.float64]:
        """The places of many prompts, float64 [prompts]; one that comes again is scored once."""
        distinct = list(dict.fromkeys(prompts))
        places = {
            prompt: self.quantile_of(score)
            for prompt, score in zip(distinct, self.scorer.score_all(distinct, progress), strict=True)
        }
        return np.array([places[prompt] for prompt in prompts], dtype=np.float64)

    def _warn_of_other_scores(self) -> None:
        error = self.reference_error
        if error is not None and error > REFERENCE_TOLERANCE:
            logger.warning(
                "The ranker of %s must score as it did where it was trained, but here its scores are off by %.3f of"
                " their spread (rounding explains %g), so its order is not the one that was tested: evaluate it on this"
                " machine (`mlflow run . --env-manager local -e evaluate`), and train it here if it has lost.",
                *(self.card.target_llm, error, REFERENCE_TOLERANCE),
            )


def sha256_of(path: Path) -> str:
    """Hex digest of a file, as it stands in the card."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def check_digest(path: Path, expected: str | None) -> None:
    """Check that a file of an artefact is the one in its card.

    Raises:
        InvalidRanker: it is missing or has another digest.
    """
    if not path.is_file():
        raise InvalidRanker(f"a ranker's folder holds {path.name}, but {path.parent} has none.")
    if sha256_of(path) != expected:
        raise InvalidRanker(f"{path} is not the file that was registered: its sha256 differs from the card's.")


def _check_card(card: RankerCard, target_llm: str | None) -> None:
    if card.text_rendering != TEXT_RENDERING:
        raise InvalidRanker(
            f"the ranker must read prompts rendered as {TEXT_RENDERING!r}, but was trained on {card.text_rendering!r};"
            " train it anew."
        )
    if target_llm is not None and card.target_llm != target_llm:
        raise InvalidRanker(f"the ranker must be trained for {target_llm!r}, but its card says {card.target_llm!r}.")
