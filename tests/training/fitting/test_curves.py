"""`training/fitting/curves.py`: what an MLflow run shows of a soup; other curves are in test_train.py."""

from pathlib import Path

import mlflow

from tests.conftest import tracking
from traffic.length_log import read_length_log
from training.config import TrainingConfig
from training.fitting.curves import MlflowCurves
from training.fitting.fit import fit
from training.fitting.module import ENCODER_TOKENS, LOSS, TOTAL_ENCODER_TOKENS, VALIDATION_TAU

STEPS = 6
"""Of one training: two passes of three batches."""


def test_the_trainings_of_a_soup_stand_one_after_the_other(
    workload_log: Path, tiny_encoder: Path, tmp_path: Path
) -> None:
    config = TrainingConfig(
        lengths=workload_log,
        target_llm="llm",
        encoder=str(tiny_encoder),
        soup=2,
        epochs=2,
        batch_prompts=16,
        validations_per_epoch=1,
    )
    log = read_length_log(config)
    with tracking(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        experiment = mlflow.create_experiment("curves")  # another test's may still be the active one
        with mlflow.start_run(experiment_id=experiment) as run:
            curves = MlflowCurves(run.info.run_id)
            fit(config, log.part("train", 48, 0), log.part("validation", 20, 0), [curves])
            curves.finish()
        metrics = (LOSS, VALIDATION_TAU, ENCODER_TOKENS, TOTAL_ENCODER_TOKENS)
        points = {name: mlflow.MlflowClient().get_metric_history(run.info.run_id, name) for name in metrics}
    assert [one.step for one in points[LOSS]] == [*range(1, 2 * STEPS + 1)]
    assert [one.step for one in points[VALIDATION_TAU]] == [3, 6, 9, 12]
    tokens = [one.value for one in points[ENCODER_TOKENS]]
    assert tokens == [tokens[0] * passes for passes in (1, 2, 3, 4)]
    assert points[TOTAL_ENCODER_TOKENS][-1].value == tokens[-1]
