"""`training/experiments/ablation.py`."""

from pathlib import Path

import mlflow
import pytest

from registry.errors import InvalidInput
from registry.order.static_gain import STATIC_GAINS
from tests.conftest import tracking
from training.experiments.ablation import PLOTS_FOLDER, RUNS_TABLE, SUMMARY_TABLE, ablate, variants
from training.experiments.config import AblationConfig
from training.judging.ranking_metrics import KENDALL_TAU_B


def config(log: Path, **changes: object) -> AblationConfig:
    return AblationConfig(lengths=log, target_llm="llm", **changes)  # type: ignore[arg-type]


def test_only_pairwise_losses_are_varied_by_the_pairs_that_count() -> None:
    varied = variants(config(Path("log"), losses=("logistic", "list_mle"), min_length_differences=(0.0, 0.3)))
    assert [str(one) for one in varied] == ["logistic, pairs from 0%", "logistic, pairs from 30%", "list_mle"]


def test_each_variant_is_trained_with_each_seed_and_tested(
    tmp_path: Path, workload_log: Path, tiny_encoder: Path
) -> None:
    tiny = config(
        workload_log,
        encoder=str(tiny_encoder),
        losses=("margin_ranking", "pointwise_l1"),
        min_length_differences=(0.0, 0.2),
        seeds=2,
        epochs=6,
        learning_rate=1e-2,
    )
    with tracking(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        experiment = mlflow.create_experiment("ablation", (tmp_path / "artifacts").as_uri())
        mlflow.set_experiment(experiment_id=experiment)
        summary = ablate(tiny)
        parent, *children = mlflow.search_runs([experiment], order_by=["start_time"], output_format="list")
        runs = mlflow.load_table(RUNS_TABLE, [parent.info.run_id])
        logged = mlflow.load_table(SUMMARY_TABLE, [parent.info.run_id])
        plots = mlflow.artifacts.list_artifacts(f"runs:/{parent.info.run_id}/{PLOTS_FOLDER}")
        wanted = {f"{PLOTS_FOLDER}/{metric}.svg" for metric in (KENDALL_TAU_B, *STATIC_GAINS)}
        assert wanted <= {one.path for one in plots}
    assert len(children) == len(runs) == 3 * 2
    assert {(run.data.params["loss"], run.data.params["seed"]) for run in children} == {
        (loss, seed) for loss in ("margin_ranking", "pointwise_l1") for seed in ("0", "1")
    }
    assert list(logged.variant) == list(summary.variant)
    assert summary["mean"].is_monotonic_decreasing
    best = runs[runs.variant == summary.variant[0]].kendall_tau_b
    assert summary["mean"][0] == pytest.approx(best.mean())
    assert best.nunique() == 2, "the seed changed nothing"
    gains = runs[runs.variant == summary.variant[0]][list(STATIC_GAINS)].mean()
    assert summary.loc[0, list(STATIC_GAINS)].tolist() == pytest.approx(gains.tolist())
    assert summary["mean"][0] > 0.3


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"losses": ()}, "at least one loss"),
        ({"seeds": 0}, "at least one loss"),
        ({"loss": "logistic"}, "knows no loss"),
        ({"trials": 2}, "knows no trials"),
    ],
)
def test_an_impossible_ablation_is_refused(changes: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        config(Path("log.jsonl"), **changes)


def test_an_unknown_loss_is_refused_before_anything_is_trained() -> None:
    with pytest.raises(InvalidInput, match="loss must be one of"):
        ablate(config(Path("no such file"), losses=("margin_ranking", "hinge")))
