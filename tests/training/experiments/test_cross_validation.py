"""`training/experiments/cross_validation.py`."""

import json
from collections.abc import Sequence
from pathlib import Path

import mlflow
import numpy as np
import pytest

from registry.errors import InvalidInput
from registry.order.static_gain import STATIC_GAINS
from registry.request import render_messages
from registry.request_features import as_view
from tests.conftest import tracking
from traffic.labelled_prompts import LabelledPrompts
from training.experiments import cross_validation
from training.experiments.config import CrossValidationConfig
from training.experiments.cross_validation import FOLDS_TABLE, cross_validate


def config(log: Path, **changes: object) -> CrossValidationConfig:
    return CrossValidationConfig(lengths=log, target_llm="llm", **changes)  # type: ignore[arg-type]


def test_each_fold_is_tested_by_a_ranker_that_learned_on_the_others(
    tmp_path: Path, workload_log: Path, tiny_encoder: Path
) -> None:
    tiny = config(workload_log, encoder=str(tiny_encoder), folds=2, repeats=2, epochs=6, learning_rate=1e-2)
    tiny = tiny.with_values({"baselines": ("prompt_length",), "word_embeddings": "trained"})
    with tracking(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        experiment = mlflow.create_experiment("folds", (tmp_path / "artifacts").as_uri())
        mlflow.set_experiment(experiment_id=experiment)
        summary = cross_validate(tiny)
        (run,) = mlflow.search_runs([experiment], output_format="list")
        folds = mlflow.load_table(FOLDS_TABLE, [run.info.run_id])
    ranker, prompt_length = (summary.loc[name].to_dict() for name in ("ranker", "prompt_length"))
    assert {name: run.data.metrics[name] for name in ranker} == pytest.approx(ranker)
    assert {name: run.data.metrics[f"prompt_length/{name}"] for name in ranker} == pytest.approx(prompt_length)
    of_ranker = folds[folds.ranker == "ranker"]
    assert of_ranker[["repeat", "fold"]].to_numpy().tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    for metric in ("kendall_tau_b", *STATIC_GAINS):
        assert ranker[metric] == pytest.approx(of_ranker[metric].mean())
        assert ranker[f"{metric}_min"] < ranker[metric] < ranker[f"{metric}_max"]
        assert ranker[metric] > max(0.3, prompt_length[metric])


def test_an_unknown_baseline_is_refused_before_any_training(workload_log: Path) -> None:
    with pytest.raises(InvalidInput, match="baseline must be one of"):
        cross_validate(config(workload_log, baselines=("oracle",)))


def test_no_fold_trains_on_the_groups_that_it_tests(
    tmp_path: Path, workload_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [json.loads(line) for line in workload_log.read_text().splitlines()]
    grouped = tmp_path / "grouped.jsonl"
    grouped.write_text("\n".join(json.dumps(row | {"task": f"task {i % 12}"}) for i, row in enumerate(rows)))
    task_of = {render_messages(row["messages"]): f"task {i % 12}" for i, row in enumerate(rows)}
    trained: list[set[str]] = []
    tested: list[set[str]] = []

    def fit(_: object, train: LabelledPrompts, *__: object) -> tuple[None, None]:
        trained.append({task_of[as_view(prompt).text] for prompt in train.prompts})
        return None, None

    def scores(_: object, __: object, ___: object, prompts: Sequence[str]) -> np.ndarray:
        tested.append({task_of[as_view(prompt).text] for prompt in prompts})
        return np.arange(len(prompts), dtype=np.float64)

    monkeypatch.setattr(cross_validation, "fit", fit)
    monkeypatch.setattr(cross_validation, "network_scores", scores)
    with tracking(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        experiment = mlflow.create_experiment("groups", (tmp_path / "artifacts").as_uri())
        mlflow.set_experiment(experiment_id=experiment)
        cross_validate(config(grouped, group_column="task", folds=3, repeats=1))
    assert len(tested) == 3
    assert set().union(*tested) == set(task_of.values())
    assert all(not one & other for one, other in zip(trained, tested, strict=True))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"folds": 1}, "folds must be at least 2"),
        ({"repeats": 0}, "repeats at least 1"),
        ({"trials": 3}, "knows no trials"),
        ({"checkpoint": Path("folder")}, "knows no checkpoint"),
        ({"shuffle_labels": True}, "knows no shuffle_labels"),
    ],
)
def test_an_impossible_cross_validation_is_refused(changes: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        config(Path("log.jsonl"), **changes)
