"""What an artefact says of the test prompts, beside the truth."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from registry.order.certain_pairs import Values
from traffic.labelled_prompts import LabelledPrompts
from training.artefact.exported_tier import ExportedTier
from training.artefact.feature_importance import tau_lost
from training.judging.ranking_metrics import KENDALL_TAU_B, kendall_tau_b, ranking_metrics

INSTANT = "instant_"
"""What the metrics of the instant tier begin with; the encoder's are the ranker's own."""
INSTANT_TAU_B = f"{INSTANT}{KENDALL_TAU_B}"
AGREEMENT = f"{INSTANT}agreement_{KENDALL_TAU_B}"
"""Tau-b between both tiers."""


@dataclass(frozen=True)
class TestResult:
    """Predictions of both tiers."""

    predicted_tokens: Values
    """The encoder's."""
    instant_predicted_tokens: Values | None
    """The instant tier's, if there is one."""
    output_tokens: Values
    is_censored: npt.NDArray[np.bool_]
    metrics: dict[str, float]
    tau_lost_without: dict[str, float] = field(default_factory=dict)
    """What the encoder loses of tau-b where it is not told a feature, by its name."""


def judge_tiers(
    encoder: ExportedTier, instant: ExportedTier | None, test: LabelledPrompts, seed: int, features: Sequence[str] = ()
) -> TestResult:
    """Test both on the same prompts; `features` are those that the encoder reads."""
    predicted = encoder.predict(test.views)
    metrics = _metrics(predicted, test, seed)
    of_instant = None
    if instant is not None:
        of_instant = instant.predict(test.views)
        measured = _metrics(of_instant, test, seed).items()
        metrics |= {
            f"{INSTANT}{name}": value for name, value in measured if name not in ("test_prompts", "test_groups")
        }
        metrics[AGREEMENT] = kendall_tau_b(of_instant, predicted)
    lost = tau_lost(encoder.scorer, features, test)
    return TestResult(predicted, of_instant, test.output_tokens, test.is_censored, metrics, lost)


def _metrics(predicted: Values, test: LabelledPrompts, seed: int) -> dict[str, float]:
    return ranking_metrics(predicted, test.output_tokens, test.is_censored, test.groups, seed)
