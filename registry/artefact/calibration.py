"""From a ranker's score to output tokens. Pure."""

from math import exp
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from registry.artefact.knots import interpolated, is_increasing

MAX_LOG_TOKENS = 30.0
"""Predictions stop growing at e^30 tokens, far above any context; it keeps `exp` finite."""


class Calibration(BaseModel):
    """T: score -> predicted output tokens, strictly increasing: straight lines through knots in log tokens.

    Training fits the knots (isotonic blocks, joined through their centres) on validation prompts. Beyond the first
    and last knot the line goes on with `tail_slope_log_tokens`, since plain isotonic steps would make ties.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    scores: tuple[float, ...]
    """Knots, strictly increasing; at least one."""
    log_tokens: tuple[float, ...]
    """Natural logarithm of the predicted tokens at each knot, strictly increasing."""
    tail_slope_log_tokens: float
    """Log tokens per unit of score beyond the knots; above 0."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.scores or len(self.scores) != len(self.log_tokens):
            raise ValueError(
                f"at least one knot, but got {len(self.scores)} scores and {len(self.log_tokens)} log_tokens."
            )
        if not (is_increasing(self.scores) and is_increasing(self.log_tokens) and self.tail_slope_log_tokens > 0):
            raise ValueError("knots must strictly increase and the tail's slope be above 0: fit the calibration anew.")
        return self

    def predicted_tokens(self, score: float) -> float:
        """Predicted output tokens of a finite score."""
        log_tokens = interpolated(score, self.scores, self.log_tokens)
        log_tokens += self.tail_slope_log_tokens * min(score - self.scores[0], 0.0)
        log_tokens += self.tail_slope_log_tokens * max(score - self.scores[-1], 0.0)
        return exp(max(-MAX_LOG_TOKENS, min(log_tokens, MAX_LOG_TOKENS)))
