"""Settings of trainings that are repeated and register nothing; the command line and MLproject read them from here."""

from collections.abc import Iterable
from dataclasses import dataclass

from registry.errors import InvalidInput
from training.config import TrainingConfig


@dataclass(frozen=True, kw_only=True)
class CrossValidationConfig(TrainingConfig):
    """A training, and how often it is repeated on which parts of the log."""

    trials: int = 0
    """There is no study: each fold trains once with the values below."""
    folds: int = 5
    """Parts of the log; each is tested once by a ranker that was trained on the others."""
    repeats: int = 5
    """How often the log is dealt out anew, with another seed for the training too."""
    baselines: tuple[str, ...] = ()
    """Rankers without a network that are cross-validated beside it on the same folds: prompt_length, tfidf_ridge,
    lexical_boosting, feature_boosting, template_mean, outlen_bucket (llm-d's rules on what is asked for)."""

    def __post_init__(self) -> None:
        """Refuse what cannot be cross-validated."""
        super().__post_init__()
        if self.folds < 2 or self.repeats < 1:
            raise InvalidInput(
                f"folds must be at least 2 and repeats at least 1, but got {self.folds} and {self.repeats}."
            )
        _refuse(
            self,
            (*_OF_A_REGISTERED_RANKER, "validation_prompts", "test_prompts"),
            "cross-validation trains once a fold, tests on all of it and registers nothing",
        )


@dataclass(frozen=True, kw_only=True)
class AblationConfig(TrainingConfig):
    """A training, repeated with each loss and least length difference."""

    trials: int = 0
    """There is no study: each variant trains with the values below."""
    losses: tuple[str, ...] = ("margin_ranking", "logistic", "list_mle", "pointwise_l1")
    """Losses that are compared."""
    min_length_differences: tuple[float, ...] = (0.0, 0.1, 0.2, 0.3)
    """Least length differences of a pair; each pairwise loss is trained with each of them."""
    seeds: int = 3
    """How often each variant is trained, with the seeds from `seed` on; they draw the training prompts too."""

    def __post_init__(self) -> None:
        """Refuse an ablation of nothing."""
        super().__post_init__()
        if not self.losses or not self.min_length_differences or self.seeds < 1:
            raise InvalidInput(
                "an ablation needs at least one loss, one of min_length_differences and one of seeds, but got"
                f" {self.losses}, {self.min_length_differences} and {self.seeds}."
            )
        _refuse(
            self,
            (*_OF_A_REGISTERED_RANKER, "loss", "min_length_difference", "preset"),
            "an ablation tries each loss and min_length_difference that its lists name, and registers nothing",
        )


def _refuse(config: TrainingConfig, without_effect: Iterable[str], why: str) -> None:
    """Refuse settings that would silently do nothing."""
    for name in without_effect:
        if getattr(config, name) != getattr(type(config), name):
            raise InvalidInput(f"{why}, so it knows no {name}, but got {getattr(config, name)!r}; leave it out.")


_OF_A_REGISTERED_RANKER = (
    "models",
    "trials",
    "trial_prompts",
    "trial_validation_prompts",
    "pruner",
    "storage",
    "study",
    "checkpoint",
    "store_retry_s",
    "unlabelled",
    "unlabelled_prompts",
    "distil_epochs",
    "shuffle_labels",
    "coverage",
)
