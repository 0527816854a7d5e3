"""`evaluate.py`, with `contenders.py` and `target_llm.py`: real evaluations in a real store."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
from mlflow.entities import Run

from benchmarks.demo.demo_lengths import make_workload
from registry import store
from registry.artefact.card import InvalidRanker
from registry.errors import InvalidInput
from tests.conftest import Command
from tests.rankers import fetched
from tests.training.tiny import TARGET_LLM, TinyTraining
from traffic.length_log import read_length_log
from training.artefact.tested_tiers import INSTANT, INSTANT_TAU_B
from training.judging.baselines.baselines import BASELINES
from training.judging.config import EvaluationConfig
from training.judging.evaluate import COMPARISONS_TABLE, HEAT_MAPS, RESULTS_TABLE, evaluate
from training.judging.ranking_metrics import KENDALL_TAU_B


def test_an_evaluation_repeats_the_training_s_test_metrics(tiny_store: TinyTraining) -> None:
    uri = version_uri(tiny_store)
    (result,) = evaluate(EvaluationConfig(rankers=(uri,), lengths=tiny_store.config.lengths)).results
    assert (result.ranker, result.model) == (uri, tiny_store.config.lengths.stem)
    metrics = store.load_ranker(uri).card.metrics
    assert result.metrics == pytest.approx(
        {name: value for name, value in metrics.items() if not name.startswith(INSTANT)}
    )
    assert last_run().data.metrics["kendall_tau_b"] == result.metrics["kendall_tau_b"]


def test_both_tiers_of_a_ranker_can_be_tested(tiny_store: TinyTraining) -> None:
    uri = version_uri(tiny_store)
    tiers = ("encoder", "instant")
    results = evaluate(EvaluationConfig(rankers=(uri,), tiers=tiers, lengths=tiny_store.config.lengths)).results
    assert [result.ranker for result in results] == [uri, f"{uri} (instant)"]
    metrics = store.load_ranker(uri).card.metrics
    for result, name in zip(results, (KENDALL_TAU_B, INSTANT_TAU_B), strict=True):
        assert result.metrics[KENDALL_TAU_B] == pytest.approx(metrics[name])
    assert {child.data.params["tier"] for child in children(tiny_store, last_run())} == set(tiers)


@pytest.mark.parametrize("tiers", [(), ("middle",), ("encoder", "middle")])
def test_a_tier_that_is_not_there_is_refused(tiers: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidInput, match="tiers must be one of instant, encoder, or both, but got"):
        EvaluationConfig(rankers=("models:/pars-x@champion",), tiers=tiers, lengths=Path("log"))


def test_several_rankers_have_a_nested_run_each(tiny_store: TinyTraining) -> None:
    uri, folder = version_uri(tiny_store), str(fetched(TARGET_LLM, tiny_store.version))
    config = EvaluationConfig(rankers=(uri, folder), lengths=tiny_store.config.lengths, max_prompts=10)
    first, second = evaluate(config).results
    assert first.metrics == second.metrics
    assert first.metrics["test_prompts"] == 10
    parent = last_run()
    assert (parent.data.params["used_test_prompts"], parent.data.params["split"]) == ("10", "test")
    assert {child.data.params["ranker"] for child in children(tiny_store, parent)} == {uri, folder}
    assert parent.data.params["data_digest"] == read_length_log(config).digest


def test_all_of_a_log_may_be_tested(tiny_store: TinyTraining) -> None:
    config = EvaluationConfig(rankers=(version_uri(tiny_store),), lengths=tiny_store.config.lengths, part="all")
    (result,) = evaluate(config).results
    assert result.metrics["test_prompts"] == len(read_length_log(config))
    assert last_run().data.params["split"] == "all"


def test_baselines_are_not_tested_on_what_they_were_fitted_on() -> None:
    with pytest.raises(InvalidInput, match="part=all would test them on what they were fitted on"):
        EvaluationConfig(baselines=("prompt_length",), lengths=Path("log"), part="all")


def test_each_two_rankers_are_compared_and_the_same_one_twice_is_not_told_apart(tiny_store: TinyTraining) -> None:
    uri, folder = version_uri(tiny_store), str(fetched(TARGET_LLM, tiny_store.version))
    config = EvaluationConfig(rankers=(uri, folder), baselines=("prompt_length",), lengths=tiny_store.config.lengths)
    evaluation = evaluate(config)
    same, *others = evaluation.comparisons[config.lengths.stem]
    assert (same.difference, same.low, same.high, same.is_real) == (0, 0, 0, False)
    assert [(one.first, one.second) for one in others] == [(uri, "prompt_length"), (folder, "prompt_length")]
    assert all(one.low < one.difference < one.high for one in others)
    logged = mlflow.load_table(COMPARISONS_TABLE, [last_run().info.run_id])
    assert logged["sentence"].tolist() == [one.sentence for one in (same, *others)]


def test_baselines_are_rows_beside_the_rankers_and_may_stand_alone(tiny_store: TinyTraining) -> None:
    names = tuple(BASELINES)
    config = EvaluationConfig(baselines=names, baseline_prompts=200, lengths=tiny_store.config.lengths)
    taus = {result.ranker: result.metrics["kendall_tau_b"] for result in evaluate(config).results}
    assert tuple(taus) == names
    assert taus["lexical_boosting"] > 0.3  # the workload's law is in its words
    parent = last_run()
    assert {child.data.params["ranker"] for child in children(tiny_store, parent)} == set(names)
    table = mlflow.load_table(RESULTS_TABLE, [parent.info.run_id])
    assert dict(zip(table["ranker"], table["kendall_tau_b"], strict=True)) == pytest.approx(taus)


def test_each_ranker_meets_each_target_llm(tiny_store: TinyTraining, two_models: Path) -> None:
    uri = version_uri(tiny_store)
    config = EvaluationConfig(
        rankers=(uri,), baselines=("tfidf_ridge",), models=("plain", "rev/erse @1"), lengths=two_models
    )
    evaluation = evaluate(config)
    taus = {(result.ranker, result.model): result.metrics["kendall_tau_b"] for result in evaluation.results}
    assert taus[uri, "plain"] == pytest.approx(-taus[uri, "rev/erse @1"])
    assert taus["tfidf_ridge", "rev/erse @1"] > 0  # fitted on the rows of the target LLM that it is tested on
    parent = last_run()
    table = mlflow.load_table(RESULTS_TABLE, [parent.info.run_id])
    assert set(zip(table["ranker"], table["model"], strict=True)) == set(taus)
    assert {f"{metric}{bound}" for metric in HEAT_MAPS for bound in ("", "_low", "_high")} <= set(table.columns)
    (child,) = [one for one in children(tiny_store, parent) if one.data.params["ranker"] == uri]
    assert child.data.metrics["rev-erse -1/kendall_tau_b"] == taus[uri, "rev/erse @1"]
    paths = {one.path for one in mlflow.MlflowClient().list_artifacts(parent.info.run_id, "evaluation")}
    assert paths == {RESULTS_TABLE, COMPARISONS_TABLE, *(f"evaluation/{metric}.svg" for metric in HEAT_MAPS)}


def test_repeated_answers_show_what_a_perfect_ranker_could_reach(tiny_store: TinyTraining, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [
        {"prompt": one.prompt, "output_tokens": max(1, round(one.expected_tokens * np.exp(0.6 * rng.normal())))}
        for one in make_workload(1500)
        for _ in range(2)
    ]
    path = write_log(tmp_path / "twice.jsonl", rows)
    evaluation = evaluate(EvaluationConfig(baselines=("tfidf_ridge",), lengths=path))
    metrics = last_run().data.metrics
    assert evaluation.resampling["twice"].prompts == evaluation.results[0].metrics["test_prompts"]
    assert metrics["resampling_tau_b_low"] < metrics["resampling_tau_b"] < metrics["resampling_tau_b_high"]
    assert metrics["resampling_tau_b"] + 0.05 < metrics["tau_b_limit"] < 0.9
    one_sample = evaluation.results[0].metrics["kendall_tau_b_one_sample"]
    assert one_sample < metrics["tau_b_limit"]
    assert one_sample < evaluation.results[0].metrics["kendall_tau_b"]  # the median is less noisy than one answer


def test_an_unknown_baseline_ends_before_any_run(tiny_store: TinyTraining) -> None:
    with pytest.raises(InvalidInput, match="template_mean, outlen_bucket, but got 'magic'"):
        evaluate(EvaluationConfig(baselines=("magic",), lengths=tiny_store.config.lengths))


@pytest.mark.parametrize(
    ("uri", "error"),
    [
        ("models:/pars-nobody@champion", store.RegistryError),
        ("models:/pars-nobody/1", store.RegistryError),
        ("no/such/folder", InvalidRanker),
    ],
)
def test_an_unknown_ranker_ends_before_any_run(
    tiny_store: TinyTraining, workload_log: Path, uri: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        evaluate(EvaluationConfig(rankers=(uri,), lengths=workload_log))


def test_an_evaluation_of_nothing_is_refused(workload_log: Path) -> None:
    with pytest.raises(InvalidInput, match="at least one ranker"):
        EvaluationConfig(rankers=(), lengths=workload_log)
    with pytest.raises(InvalidInput, match="max_prompts must be at least 2"):
        EvaluationConfig(rankers=("a",), lengths=workload_log, max_prompts=1)
    with pytest.raises(InvalidInput, match="either model or models"):
        EvaluationConfig(rankers=("a",), lengths=workload_log, model="a", models=("a", "b"))


@pytest.fixture(scope="module")
def two_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workload twice, by a plain model and by one whose order of lengths is the reverse."""
    lengths = [(one.prompt, one.output_tokens) for one in make_workload(300)]
    rows = [{"prompt": prompt, "model": "plain", "output_tokens": tokens} for prompt, tokens in lengths]
    rows += [{"prompt": prompt, "model": "rev/erse @1", "output_tokens": 1000 - tokens} for prompt, tokens in lengths]
    return write_log(tmp_path_factory.mktemp("models") / "both.jsonl", rows)


def write_log(path: Path, rows: Sequence[dict[str, object]]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def version_uri(tiny: TinyTraining) -> str:
    return f"models:/{store.model_name(TARGET_LLM)}/{tiny.version}"


def last_run() -> Run:
    run = mlflow.last_active_run()
    assert run is not None
    return mlflow.get_run(run.info.run_id)


def children(tiny: TinyTraining, parent: Run) -> list[Run]:
    found: list[Run] = mlflow.search_runs(
        [tiny.experiment_id], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'", output_format="list"
    )
    return found


def test_what_is_printed_says_of_how_many_prompts_the_tested_were_drawn(
    command: Command, capsys: pytest.CaptureFixture[str], tiny_store: TinyTraining
) -> None:
    words = ("--baselines", "prompt_length", "--lengths", str(tiny_store.config.lengths), "--max-prompts", "9")
    assert command("evaluate", *words) == 0
    assert re.search(r"on 9 of \d\d test prompts", capsys.readouterr().out)
    run = mlflow.last_active_run()
    assert run is not None
    assert (run.data.params["used_test_prompts"], run.data.metrics["test_prompts"]) == ("9", 9)
    assert int(run.data.params["test_prompts_in_log"]) == run.data.metrics["test_prompts_in_log"] > 9
