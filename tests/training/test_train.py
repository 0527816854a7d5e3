"""`training/train.py`, with `export.py`, `fit.py`, `curves.py` and `plots.py`: what one real, small training leaves."""

import json
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.entities import Run

from registry import store
from registry.artefact.files import TOKENIZER_FILE
from registry.errors import InvalidInput
from registry.order.static_gain import STATIC_GAINS
from registry.ranker import Ranker
from registry.request_features import FEATURES_VERSION
from registry.window.token_window import TEXT_RENDERING
from tests.rankers import fetched
from tests.training.tiny import TARGET_LLM, TinyTraining
from traffic.length_log import read_length_log
from traffic.notes.encoders import DEFAULT_ENCODER
from training.config import TrainingConfig
from training.fitting.module import ENCODER_TOKENS, LOSS, TOTAL_ENCODER_TOKENS, VALIDATION_GAINS, VALIDATION_TAU
from training.logged_data import NOTES_FILE
from training.network.batches import encode_all
from training.network.encoder import load_tokenizer
from training.presets import PRESETS
from training.train import split, train, train_folder, work_on_study


def parent(tiny: TinyTraining) -> Run:
    return mlflow.get_run(tiny.run_id)


def trials(tiny: TinyTraining) -> list[Run]:
    found: list[Run] = mlflow.search_runs(
        [tiny.experiment_id], f"tags.`mlflow.parentRunId` = '{tiny.run_id}'", output_format="list"
    )
    return found


def artifacts(run: Run, folder: str) -> set[str]:
    return {one.path for one in mlflow.MlflowClient().list_artifacts(run.info.run_id, folder)}


def curve(run: Run, metric: str) -> list[int]:
    return [one.step for one in mlflow.MlflowClient().get_metric_history(run.info.run_id, metric)]


def test_the_ranker_orders_unseen_prompts(tiny_store: TinyTraining) -> None:
    metrics = parent(tiny_store).data.metrics
    assert metrics["kendall_tau_b"] > 0.3
    assert metrics["kendall_tau_b_low"] < metrics["kendall_tau_b"] < metrics["kendall_tau_b_high"]
    assert 0.65 < metrics["pair_accuracy"] <= 1
    for name in STATIC_GAINS:
        assert 0.3 < metrics[f"{name}_low"] < metrics[name] < metrics[f"{name}_high"] <= 1
    assert metrics["test_prompts"] == len(read_length_log(tiny_store.config).part("test"))


def test_the_run_shows_every_setting_and_keeps_what_mlflow_run_logged(tiny_store: TinyTraining) -> None:
    params = parent(tiny_store).data.params
    assert params["lengths"] == "typed.jsonl"
    assert params["encoder"] == DEFAULT_ENCODER
    assert {"margin", "min_length_difference", "learning_rate", "seed", "epochs", "max_tokens"} <= set(params)
    assert {"best_margin", "best_min_length_difference", "best_learning_rate"} <= set(params)
    assert params["log_empty_answers"] == "0"
    assert int(params["log_censored_prompts"]) > 0  # some are cut by their own `max_tokens`
    assert params["used_test_prompts"] == str(int(parent(tiny_store).data.metrics["test_prompts"]))


def test_the_run_is_finished_and_has_the_curves(tiny_store: TinyTraining) -> None:
    run = parent(tiny_store)
    assert run.info.status == "FINISHED"
    assert len(curve(run, LOSS)) > 10
    assert len(curve(run, VALIDATION_TAU)) >= 4
    for name in (ENCODER_TOKENS, *VALIDATION_GAINS):
        assert curve(run, name) == curve(run, VALIDATION_TAU)


def test_the_run_counts_the_tokens_that_it_encoded(tiny_store: TinyTraining) -> None:
    train = read_length_log(tiny_store.config).part("train")
    tokens = sum(len(ids) for ids in encode_all(load_tokenizer(DEFAULT_ENCODER), train.views, 128).ids)
    metrics = parent(tiny_store).data.metrics
    assert metrics[TOTAL_ENCODER_TOKENS] == tokens
    assert 0.75 * tokens < metrics[ENCODER_TOKENS] <= tokens  # at the last validation


def test_the_dataset_is_an_input_with_its_digest(tiny_store: TinyTraining) -> None:
    inputs = parent(tiny_store).inputs
    assert inputs is not None
    (dataset,) = [one.dataset for one in inputs.dataset_inputs]
    assert dataset.name == tiny_store.config.lengths.stem
    assert dataset.digest == parent(tiny_store).data.params["data_digest"]
    assert dataset.digest == read_length_log(tiny_store.config).digest
    assert str(tiny_store.config.lengths) in dataset.source


def test_the_run_has_its_plots_and_the_study(tiny_store: TinyTraining) -> None:
    run = parent(tiny_store)
    assert artifacts(run, "plots") == {
        "plots/predicted_against_true.svg",
        "plots/pair_accuracy_by_length_ratio.svg",
        "plots/pair_accuracy_by_coverage.svg",
        "plots/instant_against_encoder.svg",
        "plots/feature_importance.svg",
    }
    assert artifacts(run, "study") == {
        "study/trials.json",
        "study/optimization_history.svg",
        "study/intermediate_values.svg",
        "study/slice_learning_rate.svg",
        "study/slice_margin.svg",
        "study/slice_min_length_difference.svg",
    }
    picture = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/study/slice_margin.svg")
    assert "<script" not in picture  # nothing is fetched from the outside to look at it
    table = mlflow.load_table("study/trials.json", [run.info.run_id])
    assert {"number", "value", "params_margin", "state", "duration_s", *VALIDATION_GAINS} <= set(table.columns)
    assert table[list(VALIDATION_GAINS)].notna().all(axis=None)
    assert {f"best_trial_{name}" for name in (VALIDATION_TAU, *VALIDATION_GAINS)} <= set(run.data.metrics)
    assert len(table) == 2


def test_each_trial_is_a_nested_run_with_its_curves(tiny_store: TinyTraining) -> None:
    children = trials(tiny_store)
    assert sorted(child.data.params["trial"] for child in children) == ["0", "1"]
    for child in children:
        assert child.info.status in {"FINISHED", "KILLED"}
        assert {"margin", "min_length_difference", "learning_rate"} <= set(child.data.params)
        assert len(curve(child, LOSS)) == 4
        assert len(curve(child, VALIDATION_TAU)) >= 1


def test_the_first_trial_has_the_defaults(tiny_store: TinyTraining) -> None:
    (first,) = [child for child in trials(tiny_store) if child.data.params["trial"] == "0"]
    assert float(first.data.params["margin"]) == TrainingConfig.margin
    assert float(first.data.params["learning_rate"]) == TrainingConfig.learning_rate


def test_the_version_carries_its_card(tiny_store: TinyTraining) -> None:
    folder = fetched(TARGET_LLM, tiny_store.version)
    card = Ranker.load(folder, TARGET_LLM).card
    log = read_length_log(tiny_store.config)
    assert card.data_digest == log.digest
    assert card.training_prompts == len(log.part("train"))
    assert (card.encoder, card.max_tokens, card.text_rendering) == (DEFAULT_ENCODER, 128, TEXT_RENDERING)
    assert card.features_version == FEATURES_VERSION
    assert {"log_text_tokens", "reasoning_effort", "thinking", "log_tools", "answer_format"} <= {*card.features}
    assert "temperature" not in card.features, "the workload says nothing of it"
    assert card.metrics.items() <= parent(tiny_store).data.metrics.items()
    assert (folder / TOKENIZER_FILE).read_text() == load_tokenizer(DEFAULT_ENCODER).to_str(pretty=True)


def test_the_version_predicts_as_pyfunc(tiny_store: TinyTraining) -> None:
    model = mlflow.pyfunc.load_model(f"models:/{store.model_name(TARGET_LLM)}/{tiny_store.version}")
    short, long = "What is the Spanish word for owls?", "Tell me a story in which owls save the day. Be thorough."
    predictions = model.predict(pd.DataFrame({"prompt": [short, long]}))
    assert list(predictions.columns) == ["score", "predicted_tokens", "quantile"]
    assert (predictions.iloc[0] < predictions.iloc[1]).all()


def test_predictions_do_not_tie(tiny_store: TinyTraining) -> None:
    ranker = store.load_ranker(f"models:/{store.model_name(TARGET_LLM)}/{tiny_store.version}")
    prompts = read_length_log(tiny_store.config).part("test").prompts
    assert len({ranker.predict(prompt).predicted_tokens for prompt in prompts}) == len(prompts)


@pytest.mark.usefixtures("tiny_store")
def test_a_run_with_a_preset_shows_the_values_that_it_used(workload_log: Path, tiny_encoder: Path) -> None:
    # `mlflow run` logs what was typed, and no parameter can change.
    config = TrainingConfig(
        lengths=workload_log,
        target_llm="preset",
        encoder=str(tiny_encoder),
        preset="paper",
        trials=0,
        max_prompts=8,
        validation_prompts=8,
        test_prompts=8,
    )
    train(config)
    run = mlflow.last_active_run()
    assert run is not None
    shown = {name: run.data.params[f"preset_{name}"] for name in PRESETS["paper"]}
    assert shown == {name: str(value) for name, value in PRESETS["paper"].items()}


def test_a_control_learns_from_shuffled_lengths_only(tmp_path: Path, workload_log: Path, tiny_encoder: Path) -> None:
    config = TrainingConfig(
        lengths=workload_log,
        target_llm="llm",
        encoder=str(tiny_encoder),
        shuffle_labels=True,
        max_prompts=32,
        validation_prompts=20,
        test_prompts=10,
    )
    log = read_length_log(config)
    truth = dict(zip(log.prompts, log.output_tokens.tolist(), strict=True))
    splits = split(config, log)
    for part in (splits.train, splits.validation):
        true = [truth[prompt] for prompt in part.prompts]
        assert part.output_tokens.tolist() != true
        assert sorted(part.output_tokens.tolist()) == sorted(true)
    assert splits.test.output_tokens.tolist() == [truth[prompt] for prompt in splits.test.prompts]

    card = Ranker.load(train_folder(config, tmp_path / "control")).card
    assert (card.target_llm, card.training_prompts) == ("llm-control", 32)
    assert card.metrics["test_prompts"] == 10
    assert mlflow.active_run() is None


def test_a_control_deals_out_a_length_with_whether_it_was_cut(tmp_path: Path) -> None:
    rows = [
        {"prompt": f"p{n}", "output_tokens": n + 1, "finish_reason": "length" if n > 150 else "stop"}
        for n in range(200)
    ]
    pd.DataFrame(rows).to_parquet(tmp_path / "log.parquet")
    config = TrainingConfig(lengths=tmp_path / "log.parquet", target_llm="llm", shuffle_labels=True)
    dealt = split(config, read_length_log(config)).train
    assert dealt.is_censored.tolist() == [tokens > 151 for tokens in dealt.output_tokens]
    assert dealt.output_tokens.tolist() != [float(prompt[1:]) + 1 for prompt in dealt.prompts]


def test_a_control_is_the_same_for_the_same_seed(workload_log: Path) -> None:
    config = TrainingConfig(lengths=workload_log, target_llm="llm", shuffle_labels=True)
    log = read_length_log(config)
    assert (split(config, log).train.output_tokens == split(config, log).train.output_tokens).all()
    other = split(config.with_values({"seed": 1}), log).train
    assert not np.array_equal(split(config, log).train.output_tokens, other.output_tokens)


def test_a_wrong_log_ends_before_any_training(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"prompt": "a", "output_tokens": 1}\n{"prompt": "b", "output_tokens": 2}\n')
    with pytest.raises(InvalidInput, match="part must hold prompts with at least two different lengths"):
        train_folder(TrainingConfig(lengths=tmp_path / "log.jsonl", target_llm="llm"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_name_that_cannot_be_registered_ends_before_any_run(tmp_path: Path) -> None:
    with pytest.raises(store.RegistryError, match="a letter or a digit"):
        train(TrainingConfig(lengths=tmp_path / "log.jsonl", target_llm="///"))


@pytest.mark.parametrize("changes", [{"storage": None, "trials": 6}, {"storage": "sqlite:///study.db"}])
def test_a_worker_without_a_study_to_share_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    config = TrainingConfig(lengths=tmp_path / "log.jsonl", target_llm="llm").with_values(changes)
    with pytest.raises(InvalidInput, match="a worker shares the trials of a study"):
        work_on_study(config)
    assert mlflow.active_run() is None


@pytest.mark.usefixtures("tiny_store")
def test_half_an_emoji_in_every_prompt_trains_and_what_the_encoder_cannot_read_is_said(
    tmp_path: Path, tiny_encoder: Path
) -> None:
    rows = [{"prompt": f"หัวข้อ \ud83d {number}", "output_tokens": number % 40 + 1} for number in range(200)]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = TrainingConfig(
        lengths=tmp_path / "log.jsonl",
        target_llm="halves",
        encoder=str(tiny_encoder),
        trials=0,
        epochs=1,
        max_prompts=16,
        validation_prompts=8,
        test_prompts=8,
    )
    train(config)
    run = mlflow.last_active_run()
    assert run is not None
    notes = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/{NOTES_FILE}")
    assert f"are [UNK] to the encoder {tiny_encoder}" in notes
    assert "? 1" in next(prompt for prompt in read_length_log(config).prompts if prompt.endswith(" 1"))


@pytest.mark.parametrize(("test_prompts", "used"), [(5, 5), (10_000, None), (0, None)])
def test_the_test_prompts_are_as_many_as_told_and_the_same_for_the_same_seed(
    workload_log: Path, test_prompts: int, used: int | None
) -> None:
    config = TrainingConfig(lengths=workload_log, target_llm="llm", test_prompts=test_prompts)
    log = read_length_log(config)
    splits = split(config, log)
    assert splits.test_prompts_in_log == log.splits.count("test")
    assert len(splits.test) == (used or splits.test_prompts_in_log)
    assert splits.test.prompts == split(config, log).test.prompts
    others = split(config.with_values({"seed": 1}), log).test.prompts
    assert others != splits.test.prompts
    assert (set(others) == set(splits.test.prompts)) == (used is None)
