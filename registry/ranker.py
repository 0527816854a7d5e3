"""A ranker: reads a request and says how long the target LLM's answer will be relative to other prompts.

It has two tiers: `encoder`, a pretrained text encoder of some milliseconds, and `instant`, a tiny network that was
distilled from it and takes a fraction of one. Both are calibrated to predicted tokens, so that places of either can
stand in one queue. Data only: ONNX graphs, a tokenizer and a card. Nothing here is unpickled or executed as Python.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from registry.artefact.card import REFERENCE_TOLERANCE, InvalidRanker, RankerCard, ReferenceScores
from registry.artefact.files import INSTANT_FILE, MOST_INSTANT_BYTES, ONNX_FILE, TOKENIZER_FILE, check_digest
from registry.artefact.scorer import Scorer
from registry.request_features import FEATURES, FEATURES_VERSION, Readable
from registry.window.token_window import TEXT_RENDERINGS, TextRendering

logger = logging.getLogger(__name__)

Tier = Literal["instant", "encoder"]
INSTANT_LIMIT_S = 0.25
"""How long the tiny network may take for one prompt, a thousand times what it needs: whoever asks it does so in an
event loop, which a graph that hangs would stop."""


@dataclass(frozen=True)
class Prediction:
    """What a ranker says of one prompt. All three rise with the expected length."""

    score: float
    """Unitless; comparable within one tier of one ranker version only."""
    predicted_tokens: float
    """Comparable across tiers and rankers."""
    quantile: float
    """Place among all predicted lengths, 0 to 1; where a server orders by work, among that of all requests."""
    work_s: float | None = None
    """What the request costs an engine whose prices are known; a ranker alone knows none."""


class Ranker:
    """A loaded ranker and its card."""

    def __init__(self, card: RankerCard, scorer: Scorer, instant: Scorer | None = None) -> None:
        """`scorer` is the encoder's, `instant` that of the tiny network, if the ranker has one."""
        assert instant is None or card.instant is not None
        self.card = card
        self.scorer = scorer
        self._scorers: dict[Tier, Scorer] = {"encoder": scorer}
        if instant is not None:
            self._scorers["instant"] = instant

    @classmethod
    def load(cls, folder: Path, target_llm: str | None = None) -> Self:
        """Load a ranker's folder after checking that it is whole and meant for this code (and `target_llm`).

        One that scores otherwise here than where it was trained is loaded all the same, with a warning.

        Raises:
            InvalidRanker: a file is missing or changed, or the text rendering, the features or the target LLM are
                others.
        """
        card = RankerCard.read(folder)
        _check_card(card, target_llm)
        rendering = _rendering_of(card)
        for name in (ONNX_FILE, TOKENIZER_FILE):
            check_digest(folder / name, card.sha256.get(name))
        scorer = Scorer(
            folder / ONNX_FILE,
            folder / TOKENIZER_FILE,
            card.max_tokens,
            rendering=rendering,
            head=card.head,
            digest=card.sha256[ONNX_FILE],
        )
        ranker = cls(card, scorer, _instant_scorer(folder, card, rendering))
        ranker._warn_of_other_scores()
        return ranker

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """Those that it has, the one with the best order first."""
        return tuple(self._scorers)

    def scorer_of(self, tier: Tier) -> Scorer:
        """The network of a tier.

        Raises:
            InvalidRanker: the ranker has no such tier.
        """
        if tier not in self._scorers:
            raise InvalidRanker(
                f"the ranker of {self.card.target_llm} has the tiers {', '.join(self.tiers)}, but {tier!r} was asked"
                " for; train it anew to have both."
            )
        return self._scorers[tier]

    @cached_property
    def reference_error(self) -> float | None:
        """How far the scores lie here from those at training, in spreads of them; None if the card has none.

        Of its tiers' the largest. Above `REFERENCE_TOLERANCE` the order is not the one that was tested.
        """
        errors = [
            reference.error(self.scorer_of(tier).score)
            for tier in self.tiers
            if (reference := self._reference_of(tier)) is not None
        ]
        return max(errors, default=None)

    def predict(self, prompt: Readable, tier: Tier = "encoder") -> Prediction:
        """Predict the answer's length. Of a text alone, what else its request asks for is missing.

        Raises: what `scorer_of` and `Scorer.score` raise.
        """
        score = self.scorer_of(tier).score(prompt)
        tokens = self.predicted_tokens(score, tier)
        return Prediction(score, tokens, self.card.distribution.quantile(tokens))

    def predicted_tokens(self, score: float, tier: Tier = "encoder") -> float:
        """The length that a score of a tier stands for."""
        if tier == "encoder":
            return self.card.calibration.predicted_tokens(score)
        assert self.card.instant is not None
        return self.card.instant.calibration.predicted_tokens(score)

    def quantile_of(self, score: float, tier: Tier = "encoder") -> float:
        """The place among this ranker's own predictions that a score of a tier earns."""
        return self.card.distribution.quantile(self.predicted_tokens(score, tier))

    def quantiles_of(self, prompts: Sequence[Readable], tier: Tier = "encoder") -> npt.NDArray[np.float64]:
        """The places of many prompts, float64 [prompts]; one that comes again is scored once."""
        distinct: list[Readable] = list(dict.fromkeys(prompts))
        places = {
            prompt: self.quantile_of(score, tier)
            for prompt, score in zip(distinct, self.scorer_of(tier).score_all(distinct), strict=True)
        }
        return np.array([places[prompt] for prompt in prompts], dtype=np.float64)

    def _reference_of(self, tier: Tier) -> ReferenceScores | None:
        if tier == "encoder" or self.card.instant is None:
            return self.card.reference
        return self.card.instant.reference

    def _warn_of_other_scores(self) -> None:
        error = self.reference_error
        if error is not None and error > REFERENCE_TOLERANCE:
            logger.warning(
                "The ranker of %s must score as it did where it was trained, but here its scores are off by %.3f of"
                " their spread (rounding explains %g), so its order is not the one that was tested: evaluate it on this"
                " machine (`mlflow run . --env-manager local -e evaluate`), and train it here if it has lost.",
                *(self.card.target_llm, error, REFERENCE_TOLERANCE),
            )


def _instant_scorer(folder: Path, card: RankerCard, rendering: TextRendering) -> Scorer | None:
    """The scorer of the tiny network; None of a ranker of version 0.1.0."""
    if card.instant is None:
        return None
    path = folder / INSTANT_FILE
    check_digest(path, card.sha256.get(INSTANT_FILE))
    if path.stat().st_size > MOST_INSTANT_BYTES:
        raise InvalidRanker(
            f"{INSTANT_FILE} must have at most {MOST_INSTANT_BYTES:,} bytes, but has {path.stat().st_size:,}."
        )
    tier = card.instant
    return Scorer(path, folder / TOKENIZER_FILE, tier.max_tokens, tier.max_characters, INSTANT_LIMIT_S, rendering)


def _rendering_of(card: RankerCard) -> TextRendering:
    known = next((one for one in TEXT_RENDERINGS if one == card.text_rendering), None)
    if known is None:
        raise InvalidRanker(
            f"the ranker must read prompts as one of {', '.join(TEXT_RENDERINGS)}, but was trained on"
            f" {card.text_rendering!r}; train it anew."
        )
    return known


def _check_card(card: RankerCard, target_llm: str | None) -> None:
    if card.features_version not in (None, FEATURES_VERSION) or not {*card.features} <= {*FEATURES}:
        raise InvalidRanker(
            f"the ranker must read the request's features {FEATURES_VERSION!r}, but was trained on"
            f" {card.features_version!r}; train it anew."
        )
    if target_llm is not None and card.target_llm != target_llm:
        raise InvalidRanker(f"the ranker must be trained for {target_llm!r}, but its card says {card.target_llm!r}.")
