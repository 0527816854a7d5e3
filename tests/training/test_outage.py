"""A real MLflow server goes away while a ranker is trained: what is trained is not lost."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
from tenacity import RetryCallState

from registry import store
from registry.artefact.files import PLOTS_FOLDER, WEIGHTS_FILE
from registry.artefact.weights import fetch_weights
from registry.ranker import Ranker
from registry.runs import retrying
from registry.runs.mlflow_failures import MlflowFailure
from tests.conftest import Command, tracking
from tests.mlflow_server import MlflowServer
from training.config import TrainingConfig
from training.fitting.curves import MlflowCurves
from training.fitting.module import LOSS, TOTAL_ENCODER_TOKENS, VALIDATION_TAU
from training.train import train

TARGET_LLM = "demo llm"


@pytest.fixture
def mlflow_server(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MlflowServer]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlflow.db").write_bytes(empty_database.read_bytes())
    server = MlflowServer(tmp_path)
    server.start()
    server.wait()
    with tracking(server.uri):
        mlflow.set_experiment("Default")
        yield server
    server.stop()


@pytest.fixture
def config(workload_log: Path, tiny_encoder: Path) -> TrainingConfig:
    return TrainingConfig(
        lengths=workload_log,
        target_llm=TARGET_LLM,
        encoder=str(tiny_encoder),
        trials=0,
        max_prompts=64,
        batch_prompts=16,
        epochs=2,
    )


def at_validation(number: int, monkeypatch: pytest.MonkeyPatch, happens: Any) -> None:
    """Let something happen just before the points of a validation are logged."""
    log_points = MlflowCurves.on_validation_end
    left = iter(range(number - 1, -1, -1))

    def on_validation_end(self: MlflowCurves, *arguments: Any) -> None:
        if next(left, None) == 0:
            happens()
        log_points(self, *arguments)

    monkeypatch.setattr(MlflowCurves, "on_validation_end", on_validation_end)


def test_an_outage_in_mid_fit_loses_nothing_if_it_ends_in_time(
    mlflow_server: MlflowServer,
    config: TrainingConfig,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    say = retrying._say

    def say_and_start(state: RetryCallState) -> None:
        say(state)
        if state.attempt_number == 1:
            mlflow_server.start()

    at_validation(2, monkeypatch, mlflow_server.stop)
    monkeypatch.setattr(retrying, "_say", say_and_start)
    trained = train(config)
    assert caplog.text.count("MLflow fails, so the curves wait while the training goes on") == 1
    assert "what is done cannot be stored yet (attempt 1" in caplog.text
    assert store.load_ranker(f"models:/{trained.name}/{trained.version}").card.metrics == trained.metrics
    run = mlflow.last_active_run()
    assert run is not None
    points = {
        name: len(mlflow.MlflowClient().get_metric_history(run.info.run_id, name))
        for name in (LOSS, VALIDATION_TAU, TOTAL_ENCODER_TOKENS)
    }
    assert points == {LOSS: 8, VALIDATION_TAU: 4, TOTAL_ENCODER_TOKENS: 1}
    assert run.info.status == "FINISHED"


def test_a_server_that_stays_away_leaves_the_ranker_in_a_folder_that_a_command_registers(
    mlflow_server: MlflowServer,
    config: TrainingConfig,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    command: Command,
    capsys: pytest.CaptureFixture[str],
) -> None:
    at_validation(1, monkeypatch, mlflow_server.stop)  # in the first trial: the second one has no run at all
    with pytest.raises(MlflowFailure, match="cannot be reached") as caught:
        train(config.with_values({"trials": 2, "trial_prompts": 32, "store_retry_s": 1}))
    kept = re.search(r"`python -m registry register --ranker (\S+)` registers it", str(caught.value))
    assert kept is not None
    folder = Path(kept[1])
    assert folder.parent == Path.cwd() / "unregistered"
    assert {PLOTS_FOLDER, WEIGHTS_FILE} <= {path.name for path in folder.iterdir()}
    assert re.search(r"\d+ points of the curves are lost", caplog.text)

    mlflow_server.start()
    mlflow_server.wait()
    assert command("register", "--ranker", str(folder)) == 0
    assert "pars-demo-llm version 1 is registered." in capsys.readouterr().out
    uri = "models:/pars-demo-llm@challenger"
    assert store.load_ranker(uri).card == Ranker.load(folder).card
    assert fetch_weights(uri)[1].read_bytes() == (folder / WEIGHTS_FILE).read_bytes()
