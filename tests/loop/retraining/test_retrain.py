"""The LLM changes, its ranker errs, and one command learns from the journal, has it judged and serves it."""

from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from loop.retraining import retrain as retraining
from loop.retraining.config import RetrainConfig
from registry import store
from registry.artefact.card import RankerCard
from registry.request_features import view_of
from tests.conftest import tracking
from tests.loop.retraining.served_days import CHANGED, DAY_S, NOON_S, TARGET_LLM, TOKENS, served, write_journal
from training.judging.ranking_metrics import kendall_tau_b

BEFORE, AFTER = NOON_S, NOON_S + 3 * DAY_S
TINY = {
    "batch_prompts": 16,
    "epochs": 8,
    "learning_rate": 1e-2,
    "distil_epochs": 0,
    "max_tokens": 16,
    "simulated_tokens": 0,
}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path) -> Iterator[RetrainConfig]:
    """Of a registry and a journal that are shared by the tests of this file, in their order."""
    folder = tmp_path_factory.mktemp("retrain")
    journal = write_journal(folder / "journal", served(TOKENS, 900, BEFORE, BEFORE + 2 * DAY_S, seed=1))
    with tracking(f"sqlite:///{folder / 'mlflow.db'}"):
        mlflow.set_experiment(experiment_id=mlflow.create_experiment("retrain", (folder / "artifacts").as_uri()))
        yield RetrainConfig(
            target_llm=TARGET_LLM, journal=journal, encoder=str(tiny_encoder), least_requests=100, **TINY
        )


def tau_of(version: int, requests: pd.DataFrame) -> float:
    ranker = store.load_ranker(f"models:/{store.model_name(TARGET_LLM)}/{version}")
    scores = np.array([ranker.scorer.score(view_of(prompt)) for prompt in requests["prompt"]])
    tokens = requests["output_tokens"].to_numpy().astype(np.float64)
    return kendall_tau_b(scores, tokens, np.zeros(len(tokens), dtype=np.bool_))


def versions() -> dict[int, dict[str, str]]:
    found = mlflow.MlflowClient().search_model_versions(f"name = '{store.model_name(TARGET_LLM)}'")
    return {int(one.version): dict(one.tags) for one in found}


def test_without_a_champion_the_first_one_is_trained(config: RetrainConfig) -> None:
    said = retraining.retrain(config)
    assert store.alias_version(TARGET_LLM) == 1
    assert "the newest 900 answers of the journal" in said
    assert "from the encoder's own weights, since there is no champion yet" in said
    assert "Version 1 is the champion now" in said


def test_the_same_requests_are_not_judged_twice(config: RetrainConfig) -> None:
    assert "are those of version 1" in retraining.retrain(config)
    assert store.alias_version(TARGET_LLM) == 1
    assert [*versions()] == [1]


def test_few_new_answers_are_waited_for(config: RetrainConfig) -> None:
    assert config.journal is not None
    write_journal(config.journal, served(TOKENS, 100, BEFORE + 2.1 * DAY_S, BEFORE + 2.2 * DAY_S, seed=2))
    assert "100 of the newest 1,000 answers of the journal" in retraining.retrain(config)
    assert [*versions()] == [1]


def test_after_a_drift_one_command_brings_the_ranker_back(config: RetrainConfig) -> None:
    assert config.journal is not None
    fresh = {law: served(tokens, 400, 0, 1, seed=9) for law, tokens in {"old": TOKENS, "new": CHANGED}.items()}
    before, drifted = tau_of(1, fresh["old"]), tau_of(1, fresh["new"])
    assert before - drifted >= 0.15
    write_journal(config.journal, served(CHANGED, 1600, AFTER, AFTER + 2 * DAY_S, seed=3, version=1))
    said = retraining.retrain(config)
    assert store.alias_version(TARGET_LLM) == 2
    assert tau_of(2, fresh["new"]) >= before - 0.03
    assert "from the weights of version 1" in said
    assert "of them since the alarm of 2026-11-30" in said


def test_what_tests_has_trained_nothing(config: RetrainConfig) -> None:
    training = next(
        run for run in mlflow.search_runs(output_format="list") if run.data.params.get("init_from", "None") != "None"
    )
    test_from_s = float(training.data.params["before"])
    assert test_from_s == pytest.approx(AFTER + 1.6 * DAY_S, abs=0.05 * DAY_S), "most came on the last day: its fifth"
    since_s = float(training.data.params["since"])
    assert AFTER < since_s < AFTER + 0.5 * DAY_S, "the alarm is raised by less than 400 answers"
    counted = {name: int(training.data.params[f"log_{name}"]) for name in ("labelled", "outside_window")}
    assert counted["labelled"] == pytest.approx((test_from_s - since_s) / (2 * DAY_S) * 1599, abs=1)
    assert sum(counted.values()) == 1000 + 1600


def test_all_of_it_is_one_run_with_what_it_said(config: RetrainConfig) -> None:
    runs = {run.info.run_id: run for run in mlflow.search_runs(output_format="list")}
    parents = [run for run in runs.values() if run.info.run_name == f"retrain {TARGET_LLM}"]
    assert len(parents) == 2
    assert all("is the champion now" in run.data.tags["mlflow.note.content"] for run in parents)
    of_training = [run for run in runs.values() if run.info.run_name == f"train {TARGET_LLM}"]
    assert {run.data.tags["mlflow.parentRunId"] for run in of_training} == {run.info.run_id for run in parents}


def test_a_version_that_a_kill_has_left_is_judged_without_another_training(config: RetrainConfig) -> None:
    name, client = store.model_name(TARGET_LLM), mlflow.MlflowClient()
    client.set_registered_model_alias(name, store.CHAMPION, "1")
    client.delete_model_version_tag(name, "2", "gate")
    said = retraining.retrain(config)
    assert "Version 2 was trained on them by an earlier start, which ended before it was judged." in said
    assert (store.alias_version(TARGET_LLM), sorted(versions())) == (2, [1, 2])


def test_the_card_says_what_the_champion_was(config: RetrainConfig) -> None:
    card = RankerCard.read(store.ranker_folder(f"models:/{store.model_name(TARGET_LLM)}@champion"))
    assert card.encoder == config.encoder
