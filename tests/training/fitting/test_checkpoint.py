"""`training/fitting/checkpoint.py`: a training that was stopped at any step ends as if it never had been."""

from pathlib import Path
from typing import Any

import lightning
import pytest
import torch
from lightning.pytorch.callbacks import Callback

from registry.errors import InvalidInput
from traffic.length_log import read_length_log
from training.config import TrainingConfig
from training.fingerprint import settings_of
from training.fitting.checkpoint import claim
from training.fitting.fit import fit
from training.train import split

STEPS = 12
"""Three epochs of four batches, with a validation after every second one."""


class Killed(Exception):
    """Stands for a kill: nothing is saved on the way out."""


class StopsAt(Callback):
    """Counts the steps that were trained, and ends the training before one of them."""

    def __init__(self, step: int, member: int = 0) -> None:
        self.trained = 0
        self._step = step
        self._member = member

    def on_train_batch_start(self, trainer: lightning.Trainer, module: lightning.LightningModule, *_: Any) -> None:
        if (trainer.global_step, module.member) == (self._step, self._member):
            raise Killed
        self.trained += 1


@pytest.fixture
def config(workload_log: Path, tiny_encoder: Path) -> TrainingConfig:
    return TrainingConfig(
        lengths=workload_log,
        target_llm="llm",
        encoder=str(tiny_encoder),
        max_prompts=62,
        batch_prompts=16,
        validation_prompts=20,
        validations_per_epoch=2,
        epochs=3,
        learning_rate=1e-2,
    )


def train(config: TrainingConfig, stop_at: int) -> tuple[dict[str, torch.Tensor], int]:
    splits = split(config, read_length_log(config))
    stops = StopsAt(stop_at)
    network, _ = fit(config, splits.train, splits.validation, [stops])
    return network.state_dict(), stops.trained


@pytest.mark.parametrize(
    ("kill_at", "saved"), [(1, 0), (2, 2), (3, 2), (4, 4), (5, 4), (7, 6), (8, 8), (11, 10), (STEPS, STEPS)]
)
def test_a_resumed_training_goes_on_where_it_stopped(
    config: TrainingConfig, tmp_path: Path, kill_at: int, saved: int
) -> None:
    uninterrupted, trained = train(config, stop_at=STEPS)
    assert trained == STEPS
    resumable = config.with_values({"checkpoint": tmp_path})
    if kill_at < STEPS:
        with pytest.raises(Killed):
            train(resumable, kill_at)
    else:
        train(resumable, kill_at)
    resumed, trained = train(resumable, stop_at=STEPS)
    assert trained == STEPS - saved
    assert all(torch.equal(resumed[name], value) for name, value in uninterrupted.items())


@pytest.mark.parametrize(("kill_at", "saved"), [(1, 0), (5, 4), (11, 10)])
def test_a_resumed_soup_goes_on_with_the_training_that_was_stopped(
    config: TrainingConfig, tmp_path: Path, kill_at: int, saved: int
) -> None:
    soup = config.with_values({"soup": 2})
    uninterrupted, trained = train(soup, stop_at=STEPS)
    assert trained == 2 * STEPS
    splits = split(soup, read_length_log(soup))
    resumable = soup.with_values({"checkpoint": tmp_path})
    with pytest.raises(Killed):
        fit(resumable, splits.train, splits.validation, [StopsAt(kill_at, member=1)])
    resumed, trained = train(resumable, stop_at=STEPS)
    assert trained == STEPS - saved, "the first training of the two is done"
    assert all(torch.equal(resumed[name], value) for name, value in uninterrupted.items())


def test_a_folder_belongs_to_one_training(config: TrainingConfig, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    claim(folder, settings_of(config, "digest"))
    claim(folder, settings_of(config.with_values({"checkpoint": folder, "lengths": Path("copy.jsonl")}), "digest"))
    with pytest.raises(InvalidInput, match=r"begun with data_digest='digest' \(now 'other'\)"):
        claim(folder, settings_of(config, "other"))
    with pytest.raises(InvalidInput, match=r"begun with epochs=3 \(now 4\)"):
        claim(folder, settings_of(config.with_values({"epochs": 4}), "digest"))
