"""Training with two processes (`-P devices=2`): it is that of one process, and one ranker comes out."""

import json
import shutil
from pathlib import Path
from typing import Any

import lightning
import mlflow
import pytest
import torch
from lightning.pytorch.callbacks import Callback

from registry import store
from tests.conftest import tracking
from traffic.length_log import read_length_log
from training.config import TrainingConfig
from training.fitting.fit import fit
from training.fitting.module import LOSS, VALIDATION_TAU
from training.train import train

pytestmark = pytest.mark.slow


def test_two_processes_register_one_ranker_that_learned(tmp_path: Path, workload_log: Path) -> None:
    config = TrainingConfig(
        lengths=workload_log,
        target_llm="llm",
        trials=1,
        trial_prompts=64,
        devices=2,
        strategy="ddp",
        batch_prompts=16,
        test_prompts=50,
    )
    with tracking(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        experiment = mlflow.create_experiment("devices", (tmp_path / "artifacts").as_uri())
        mlflow.set_experiment(experiment_id=experiment)
        trained = train(config)
        client = mlflow.MlflowClient()
        trial, run = sorted(
            mlflow.search_runs([experiment], output_format="list"),
            key=lambda one: "trial" in one.data.params,
            reverse=True,
        )
        steps = [one.step for one in client.get_metric_history(run.info.run_id, LOSS)]
        taus = [one.value for one in client.get_metric_history(run.info.run_id, VALIDATION_TAU)]
        versions = client.search_model_versions(f"name = '{store.model_name('llm')}'")
    assert trial.data.metrics[VALIDATION_TAU] > 0  # trials run in this process, where their result is seen
    assert trained.version == 1
    assert len(versions) == 1
    assert steps == sorted(set(steps))
    assert len(taus) >= 4
    assert trained.metrics["kendall_tau_b"] > 0.3


class Losses(Callback):
    """Writes the loss of every step to a file, from the first of the processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.losses: list[float] = []

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        self.losses.append(float(trainer.callback_metrics[LOSS]))

    def on_train_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        if trainer.is_global_zero:
            self.path.write_text(json.dumps(self.losses), encoding="utf-8")


UNSEEN = ("bias", "encoder.encoder.layer.0.output.LayerNorm.bias", "encoder.encoder.layer.0.attention.self.key.bias")
"""Weights without a gradient, since no pair sees what all scores, and no softmax what all keys share: there the
optimiser makes whole steps of what rounding has left."""


def test_two_processes_see_the_pairs_of_one_and_end_with_its_weights(
    tmp_path: Path, workload_log: Path, tiny_encoder: Path
) -> None:
    without_dropout = tmp_path / "encoder"
    shutil.copytree(tiny_encoder, without_dropout)
    shape = json.loads((without_dropout / "config.json").read_text())
    shape |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (without_dropout / "config.json").write_text(json.dumps(shape), encoding="utf-8")
    config = TrainingConfig(
        lengths=workload_log,
        target_llm="llm",
        encoder=str(without_dropout),
        word_embeddings="trained",
        precision="32-true",
        learning_rate=3e-3,
        batch_prompts=15,
        chunk_tokens=8,  # most of a batch is read twice
        epochs=2,
        features="off",  # a fresh head for them makes steps so large that rounding shows
    )
    log = read_length_log(config)
    train_prompts = log.part("train").first(31)  # of the last batch, of one prompt, the second process has none
    networks, losses = [], []
    for devices in (1, 2):
        path = tmp_path / f"{devices}.json"
        network, _ = fit(
            config.with_values({"devices": devices}), train_prompts, log.part("validation"), [Losses(path)]
        )
        networks.append({name: one for name, one in network.state_dict().items() if name not in UNSEEN})
        losses.append(json.loads(path.read_text()))
    assert len(losses[0]) == 6
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    assert max(losses[0]) > 0.1
    torch.testing.assert_close(networks[1], networks[0], rtol=1e-3, atol=1e-5)
