"""`training/tuning/tune.py`: pruning, and what becomes of a trial's run. The study itself is in test_train.py."""

from types import SimpleNamespace
from typing import cast

import lightning
import mlflow
import optuna
import pytest
from mlflow.entities import Run

from tests.training.tiny import TinyTraining
from training.config import TrainingConfig
from training.fitting.losses import LOSS_SETTINGS, LOSSES
from training.fitting.module import VALIDATION_GAINS, VALIDATION_TAU
from training.tuning.tune import PRUNED_TAG, Pruner, in_nested_run, suggest


class FakeTrial:
    """Records what is reported and prunes below a bar."""

    def __init__(self, bar: float = 0.0) -> None:
        self.number = 7
        self.params: dict[str, float] = {}
        self.reported: list[tuple[float, int]] = []
        self.user_attrs: dict[str, float] = {}
        self._bar = bar

    def report(self, value: float, step: int) -> None:
        self.reported.append((value, step))

    def set_user_attr(self, name: str, value: float) -> None:
        self.user_attrs[name] = value

    def should_prune(self) -> bool:
        return self.reported[-1][0] < self._bar


def as_trial(fake: FakeTrial) -> optuna.Trial:
    return cast(optuna.Trial, fake)


def at(step: int, tau: float) -> lightning.Trainer:
    metrics = dict.fromkeys(VALIDATION_GAINS, tau / 2) | {VALIDATION_TAU: tau}
    return cast(lightning.Trainer, SimpleNamespace(global_step=step, callback_metrics=metrics))


def test_a_trial_reports_at_every_validation_and_is_pruned_when_it_lags() -> None:
    fake = FakeTrial(bar=0.2)
    pruner = Pruner(as_trial(fake))
    pruner.on_validation_end(at(4, 0.3))
    with pytest.raises(optuna.TrialPruned):
        pruner.on_validation_end(at(8, 0.1))
    assert fake.reported == [(0.3, 4), (0.1, 8)]
    assert fake.user_attrs == dict.fromkeys(VALIDATION_GAINS, 0.05)  # of the last validation, beside what decides


@pytest.mark.parametrize(
    ("error", "status", "is_pruned"),
    [(None, "FINISHED", False), (optuna.TrialPruned(), "KILLED", True), (RuntimeError("boom"), "FAILED", False)],
)
def test_the_run_of_a_trial_says_how_it_ended(
    tiny_store: TinyTraining, error: Exception | None, status: str, is_pruned: bool
) -> None:
    def objective(_: mlflow.ActiveRun | None) -> float:
        if error:
            raise error
        return 0.5

    with mlflow.start_run() as study_run:
        if error:
            with pytest.raises(type(error)):
                in_nested_run(as_trial(FakeTrial()), objective)
        else:
            assert in_nested_run(as_trial(FakeTrial()), objective) == 0.5
        assert (run := mlflow.active_run()) is not None
        assert run.info.run_id == study_run.info.run_id
    child = _child_of(tiny_store, study_run.info.run_id)
    assert child.info.status == status
    assert (child.data.tags.get(PRUNED_TAG) == "true") == is_pruned


@pytest.mark.parametrize("loss", LOSSES)
def test_a_study_tunes_what_the_loss_uses(loss: str) -> None:
    values = {"margin": 1.0, "min_length_difference": 0.1, "learning_rate": 1e-4}
    tuned = suggest(optuna.trial.FixedTrial(values), loss)
    assert set(tuned) == {"learning_rate", *LOSS_SETTINGS[loss]}
    assert all(hasattr(TrainingConfig, name) for name in tuned)


def _child_of(tiny: TinyTraining, run_id: str) -> Run:
    (child,) = mlflow.search_runs([tiny.experiment_id], f"tags.`mlflow.parentRunId` = '{run_id}'", output_format="list")
    return child
