"""Evaluate registered rankers on the test rows of a length log."""

from dataclasses import dataclass

import mlflow

from registry import store
from training.config import LengthLogSource, TrainingError
from training.length_log import read_length_log, require_two_lengths
from training.metrics import ranking_metrics


@dataclass(frozen=True, kw_only=True)
class EvaluationConfig(LengthLogSource):
    """Which rankers, on which rows."""

    rankers: tuple[str, ...]
    """`models:/NAME@ALIAS`, `models:/NAME/VERSION`, or folders."""
    max_prompts: int | None = None
    """Test prompts at most; all of them unless given."""
    seed: int = 0
    """Draws the prompts, and the resamples of the interval."""

    def __post_init__(self) -> None:
        """Refuse an evaluation of nothing."""
        if not self.rankers:
            raise TrainingError(
                "rankers must name at least one ranker, such as models:/pars-NAME@champion, but got none."
            )
        if self.max_prompts is not None and self.max_prompts < 2:
            raise TrainingError(f"max_prompts must be at least 2, but got {self.max_prompts}.")


def evaluate(config: EvaluationConfig) -> dict[str, dict[str, float]]:
    """Metrics of each ranker on test prompts, logged to MLflow: one nested run each.

    Raises:
        TrainingError, RegistryError, InvalidRanker: the log or a ranker cannot be used.
    """
    rankers = {uri: store.load_ranker(uri) for uri in config.rankers}
    with mlflow.start_run(run_name="evaluate"):
        log = read_length_log(config)
        test = require_two_lengths(log.part("test", config.max_prompts, config.seed), "test")
        mlflow.log_params({"data_digest": log.digest, "split": "test", "used_test_prompts": len(test)})
        results = {}
        for uri, ranker in rankers.items():
            with mlflow.start_run(run_name=uri, nested=True):
                scores = ranker.scorer.score_all(test.prompts, progress=f"scoring with {uri}")
                results[uri] = ranking_metrics(scores, test.output_tokens, config.seed)
                mlflow.log_params({"ranker": uri, "target_llm": ranker.card.target_llm})
                mlflow.log_metrics(results[uri])
        if len(results) == 1:
            mlflow.log_metrics(next(iter(results.values())))
    return results
