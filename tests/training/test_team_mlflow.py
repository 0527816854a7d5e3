"""The life of a ranker against MLflow as teams run it: PostgreSQL, an S3 store behind the server, basic auth."""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import mlflow
import pytest
from tenacity import RetryCallState

from registry import store
from registry.ranker import Ranker
from registry.runs import experiments, retrying
from serving.champion.start import follow_champions
from serving.config import Settings
from tests.conftest import Command, tracking
from tests.mlflow_server import MlflowServer
from tests.rankers import write_ranker
from tests.servers import VLLM_ARGS, free_port, running
from tests.team_mlflow import BUCKET, SECRETS, add_user, team_mlflow
from training.fitting.curves import MlflowCurves

pytestmark = pytest.mark.slow

TARGET_LLM = "team/Demo LLM"
NAME = "pars-team-demo-llm"
ANN, BOB = ("ann", "password-of-ann"), ("bob", "password-of-bob")
"""Ann trains; Bob may look at what is hers."""
SERVED_LLM = "demo-llm"
SWAP_LIMIT_S = 15.0


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    with team_mlflow(tmp_path_factory.mktemp("team")) as server:
        for user in (ANN, BOB):
            add_user(server, *user)
        yield server


@pytest.fixture
def as_ann(team: MlflowServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MlflowServer]:
    """Ann's shell: where MLflow is and who she is, by the environment alone."""
    for name in experiments.CHOSEN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", team.uri)
    become(monkeypatch, *ANN)
    with tracking(team.uri):
        yield team


def become(monkeypatch: pytest.MonkeyPatch, name: str, password: str) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", name)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", password)


def training(workload_log: Path, tiny_encoder: Path) -> list[str]:
    settings = {"lengths": workload_log, "target-llm": TARGET_LLM, "encoder": tiny_encoder}
    settings |= {"max-prompts": "64", "batch-prompts": "16", "epochs": "2"}
    return ["train", *(f"--{name}={value}" for name, value in settings.items())]


def command_lines() -> str:
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:  # it has ended
            continue
    return "\n".join(lines)


def test_trained_through_an_outage_promoted_and_loaded_and_no_password_is_seen(
    as_ann: MlflowServer,
    workload_log: Path,
    tiny_encoder: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    log_points, say, validations = MlflowCurves.on_validation_end, retrying._say, iter(range(9))

    def stop_at_the_second(self: MlflowCurves, *arguments: object) -> None:
        if next(validations) == 1:
            as_ann.stop()
        log_points(self, *arguments)  # type: ignore[arg-type]

    def say_and_start(state: RetryCallState) -> None:
        say(state)
        if state.attempt_number == 1:
            as_ann.start()

    monkeypatch.setattr(MlflowCurves, "on_validation_end", stop_at_the_second)
    monkeypatch.setattr(retrying, "_say", say_and_start)
    assert command(*training(workload_log, tiny_encoder)) == 0
    assert "the curves wait while the training goes on" in caplog.text, "MLflow was away"
    forced = "two epochs on 64 prompts pass no gate"
    assert command("promote", "--target-llm", TARGET_LLM, "--force", forced) == 0

    ranker = store.load_ranker(f"models:/{NAME}@champion")
    experiment = mlflow.get_experiment_by_name(NAME)
    assert experiment is not None and experiment.artifact_location.startswith("mlflow-artifacts:/")
    runs = {run.info.run_name: run for run in mlflow.search_runs([experiment.experiment_id], output_format="list")}
    trained = runs[f"train {TARGET_LLM}"]
    assert trained.info.status == "FINISHED"
    assert trained.data.metrics["kendall_tau_b"] == ranker.card.metrics["kendall_tau_b"]
    assert len(mlflow.MlflowClient().get_metric_history(trained.info.run_id, "loss")) == 8, "no point is lost"
    listed = httpx.get(f"{as_ann.environment['MLFLOW_S3_ENDPOINT_URL']}/{BUCKET}?list-type=2").text
    assert "/ranker.onnx</Key>" in listed
    version = mlflow.MlflowClient().get_model_version(NAME, "1")
    assert version.tags["gate"] == "forced" and forced in version.description
    written = as_ann.log.read_text() + caplog.text + "".join(capfd.readouterr()) + command_lines()
    assert [secret for secret in (*SECRETS, ANN[1]) if secret in written] == []


REFUSED = [
    ((ANN[0], "a wrong password"), "does not let this user in (401); give MLFLOW_TRACKING_USERNAME"),
    (BOB, "(403); let its administrator give this user the permission EDIT"),
]


@pytest.mark.usefixtures("as_ann")
@pytest.mark.parametrize(("user", "sentence"), REFUSED)
def test_who_may_not_is_told_so_in_one_sentence(
    user: tuple[str, str],
    sentence: str,
    workload_log: Path,
    tiny_encoder: Path,
    tmp_path: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert command("register", "--ranker", str(write_ranker(tmp_path / "hers", TARGET_LLM))) == 0, "it is Ann's"
    capfd.readouterr()
    become(monkeypatch, *user)
    for words in (training(workload_log, tiny_encoder), ["promote", "--target-llm", TARGET_LLM]):
        for name in experiments.CHOSEN:  # what the command before chose
            os.environ.pop(name, None)
        assert command(*words) == 1
        said = capfd.readouterr().err
        assert sentence in said.splitlines()[-1], said
        assert "Traceback" not in said
        assert user[1] not in said


async def test_a_server_with_a_wrong_password_starts_says_why_and_follows_once_it_is_right(
    as_ann: MlflowServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with mlflow.start_run(experiment_id=experiments.experiment_id({"target_llm": "careful-llm"})):
        store.register(write_ranker(tmp_path / "ranker", "careful-llm"))
    store.promote("careful-llm", 1)
    become(monkeypatch, ANN[0], "a wrong password")
    given = {"target_llm": "careful-llm", "champion_poll_s": 0.2, "cache": tmp_path / "cache"}
    settings = Settings.model_validate({**given, "ordering_file": tmp_path / "ordering"})
    async with follow_champions(settings, "careful-llm") as rankers:
        assert not rankers.has_ranker("careful-llm")
        assert "does not let this user in (401); give MLFLOW_TRACKING_USERNAME" in caplog.text
        become(monkeypatch, *ANN)
        async with asyncio.timeout(30):
            while not rankers.has_ranker("careful-llm"):
                await asyncio.sleep(0.1)
    assert "a wrong password" not in caplog.text


async def test_the_alias_moved_is_served_within_15_s_under_load_and_no_request_is_lost(
    as_ann: MlflowServer, demo_llm: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    experiment = experiments.experiment_id({"target_llm": SERVED_LLM})
    for weight in (1.0, -1.0):
        with mlflow.start_run(experiment_id=experiment):
            store.register(write_ranker(tmp_path / f"weight{weight}", SERVED_LLM, weight, instant_weight=1.0))
    store.promote(SERVED_LLM, 1)
    settings = {"PARS_TARGET_LLM": SERVED_LLM, "PARS_LLM": str(demo_llm), "PARS_CACHE": str(tmp_path / "cache")}
    settings["PARS_VLLM_ARGS"] = f"{VLLM_ARGS} --max-num-seqs 2"
    statuses: list[int] = []

    async def keep_asking(client: httpx.AsyncClient) -> None:
        while True:
            body = {"model": SERVED_LLM, "prompt": "one two", "max_tokens": 16}
            statuses.append((await client.post("/v1/completions", json=body)).status_code)

    port = free_port()
    with running(["bentoml", "serve", "--port", str(port)], port, settings, tmp_path / "server-log") as server:
        async with server.client() as client, asyncio.timeout(120):
            traffic = [asyncio.create_task(keep_asking(client)) for _ in range(8)]
            await served(client, 1)
            store.promote(SERVED_LLM, 2)
            moved_s, asked = time.monotonic(), len(statuses)
            await served(client, 2)
            took_s = time.monotonic() - moved_s
            for task in traffic:
                task.cancel()
            ended = await asyncio.gather(*traffic, return_exceptions=True)
    assert [one for one in ended if not isinstance(one, asyncio.CancelledError)] == [], "each was answered"
    assert set(statuses) == {200}
    assert len(statuses) > asked
    assert took_s < SWAP_LIMIT_S, "that is what is promised, with 5 s between two looks"
    with capfd.disabled():
        print(f"\nalias moved -> served after {took_s:.1f} s; 0 of {len(statuses)} answers lost")  # noqa: T201
    assert ANN[1] not in (tmp_path / "server-log").read_text()


async def served(client: httpx.AsyncClient, version: int) -> None:
    while (await client.post("/rank", json={"prompt": "one"})).json().get("ranker_version") != version:
        await asyncio.sleep(0.1)


def test_any_version_loads_from_the_store_as_it_was_registered(as_ann: MlflowServer, tmp_path: Path) -> None:
    folder = write_ranker(tmp_path / "ranker", "loaded-llm", instant_weight=1.0)
    with mlflow.start_run(experiment_id=experiments.experiment_id({"target_llm": "loaded-llm"})):
        version = store.register(folder)
    loaded = mlflow.pyfunc.load_model(f"models:/pars-loaded-llm/{version}")
    (score,) = loaded.predict([{"prompt": "one two"}])["score"]
    assert score == Ranker.load(folder).predict("one two").score
