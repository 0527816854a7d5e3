"""What becomes of a retrained version: the gate's decision, as a retraining tells it."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from loop.gate.judgement import Judged
from loop.gate.promote import decide_promotion
from loop.retraining.config import RetrainConfig
from registry.order.static_gain import STATIC_GAIN_S_PER_TOKEN
from training.judging.ranking_metrics import KENDALL_TAU_B

WHO = {"champion": "the champion", "challenger": "the new one"}


class Ruling(NamedTuple):
    """The decision."""

    is_promoted: bool
    says: tuple[str, ...]
    """What was measured, and why: sentences."""


def promote_or_not(config: RetrainConfig, version: int, test_days: float) -> Ruling:
    """Let the gate judge a version on the newest days, and make it the champion if it passes.

    Raises: as `decide_promotion`.
    """
    judged = decide_promotion(config.gate(version, test_days))
    if judged is None:
        return Ruling(True, (f"Version {version} is the champion already.",))
    return Ruling(judged.decision.is_promoted, (*_measured(judged), judged.decision.sentence))


def _measured(judged: Judged) -> Iterator[str]:
    """Both rankers' figures on the test, where it had any."""
    metrics = judged.checked.metrics
    parts = [*_of(metrics, KENDALL_TAU_B, "tau-b"), *_of(metrics, STATIC_GAIN_S_PER_TOKEN, "static gain")]
    if parts:
        yield f"On {judged.judged_on}: {'; '.join(parts)}."


def _of(metrics: Mapping[str, float], name: str, word: str) -> Iterator[str]:
    found = {who: metrics[f"{key}_{name}"] for key, who in WHO.items() if f"{key}_{name}" in metrics}
    if found:
        yield f"{word} " + ", ".join(f"{value:.3f} of {who}" for who, value in found.items())
