"""What an evaluation found."""

from dataclasses import dataclass, field

from training.judging.paired_bootstrap import Comparison
from training.judging.resampling import Resampling


@dataclass(frozen=True)
class Result:
    """The metrics of one ranker or baseline on the test prompts of one target LLM."""

    ranker: str
    model: str
    """The target LLM."""
    metrics: dict[str, float]


@dataclass(frozen=True)
class Evaluation:
    """Every ranker on every target LLM, and by the target LLM's name what its prompts say of all rankers."""

    results: list[Result] = field(default_factory=list)
    comparisons: dict[str, list[Comparison]] = field(default_factory=dict)
    """Each two rankers on the same prompts; none for a single ranker."""
    resampling: dict[str, Resampling] = field(default_factory=dict)
    """Only of target LLMs that answered some test prompts more than once."""
