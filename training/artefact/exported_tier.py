"""A tier of an artefact as it was exported: calibrated on validation prompts, tested on others, one prompt a call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from registry.artefact.calibration import Calibration
from registry.artefact.card import ReferenceScores
from registry.artefact.scorer import Scorer
from registry.order.certain_pairs import Values
from registry.request_features import RequestView
from terminal.progress import track
from traffic.labelled_prompts import LabelledPrompts
from training.artefact.calibrate import fit_calibration


@dataclass(frozen=True)
class ExportedTier:
    """An exported graph, and how its scores become predicted tokens."""

    name: str
    scorer: Scorer
    calibration: Calibration
    reference: ReferenceScores
    validation_tokens: Values
    """Predicted tokens of the validation prompts."""

    @classmethod
    def calibrated(cls, name: str, scorer: Scorer, validation: LabelledPrompts) -> Self:
        """Calibrate a graph on the validation prompts.

        Every tier predicts the expected logarithm of a length, so that the predictions of all stand in one queue. One
        that knows less predicts closer to the middle, and claims the far ends of the queue less often.
        """
        scores = scorer.score_all(track(validation.views, f"calibrate the {name} tier", "prompts"))
        calibration = fit_calibration(scores, validation.output_tokens)
        reference = ReferenceScores.of(scorer.score, float(np.std(scores)))
        return cls(name, scorer, calibration, reference, _predicted(calibration, scores))

    def predict(self, views: Sequence[RequestView]) -> Values:
        """Predicted tokens, [requests]."""
        scores = self.scorer.score_all(track(views, f"test the {self.name} tier", "prompts"))
        return _predicted(self.calibration, scores)


def _predicted(calibration: Calibration, scores: Values) -> Values:
    return np.array([calibration.predicted_tokens(score) for score in scores])
