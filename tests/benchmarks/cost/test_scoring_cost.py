"""`benchmarks/cost/scoring_cost.py`."""

from pathlib import Path

import mlflow
import pytest

from benchmarks.cost.scoring_cost import ScoringConfig, measure_scoring
from benchmarks.demo.demo_lengths import write_workload
from tests.conftest import tracking
from training.config import TrainingConfig
from training.train import train_folder


def test_a_ranker_is_timed_and_orders_as_its_float_network_does(tmp_path: Path) -> None:
    log = tmp_path / "lengths.jsonl"
    write_workload(log, 300)
    config = TrainingConfig(lengths=log, target_llm="llm", trials=0, epochs=2, batch_prompts=16)
    with tracking(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        mlflow.set_experiment(experiment_id=mlflow.create_experiment("scoring", (tmp_path / "artifacts").as_uri()))
        ranker = train_folder(config, tmp_path / "ranker")
        with mlflow.start_run() as run:
            cost = measure_scoring(ScoringConfig(lengths=log, ranker=str(ranker)))
        logged = mlflow.get_run(run.info.run_id).data
    assert logged.metrics == pytest.approx(vars(cost))
    assert logged.params["ranker"] == str(ranker)
    assert min(cost.artefact_ms, cost.float_ms, cost.bert_base_ms) > 0
    assert cost.artefact_kendall_tau_b > 0.4
    assert cost.float_kendall_tau_b == pytest.approx(cost.artefact_kendall_tau_b, abs=0.1)
    assert f"{cost.bert_base_ms:.1f} ms by a BERT-base" in cost.sentence
