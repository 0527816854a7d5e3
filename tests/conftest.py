"""Fixtures that are dear: the real engine starts twice in a session, once behind BentoML and once with a spy inside."""

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
import pytest
from hypothesis import settings
from mlflow.tracking import fluent

from benchmarks.demo.demo_llm import write_demo_llm
from cli import __main__ as cli
from registry import store
from tests.adapters import write_adapter
from tests.checkout import pytest_sessionfinish as pytest_sessionfinish
from tests.checkout import pytest_sessionstart as pytest_sessionstart
from tests.rankers import TEN_TIMES_AS_LONG, fetched, write_ranker
from tests.servers import VLLM_ARGS, RunningServer, free_port, running

# The first call of a library takes longer than Hypothesis grants an example, and a busy machine longer still.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

API_KEY = "not-a-secret"
Command = Callable[..., int]
ENDS = "--logits-processors benchmarks.demo.own_ending:OwnEnding"
TOOLS = (
    "--enable-auto-tool-choice --tool-call-parser hermes"
    # A model with random weights would fill its answer with blanks, which JSON allows.
    " --structured-outputs-config.backend xgrammar --structured-outputs-config.disable_any_whitespace true"
)


@pytest.fixture(scope="session", autouse=True)
def unsaid_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What a test stores without saying where lies in a temporary folder, also what its processes do."""
    folder = tmp_path_factory.mktemp("unsaid")
    with pytest.MonkeyPatch.context() as patch:
        # MLflow's own variable: else a new database keeps its artefacts in ./mlruns, wherever it lies itself.
        patch.setenv("_MLFLOW_SERVER_ARTIFACT_ROOT", (folder / "artifacts").as_uri())
        patch.setenv("PARS_CACHE", str(folder / "rankers"))
        patch.setenv("PARS_ORDERING_FILE", str(folder / "ordering"))
        with tracking(f"sqlite:///{folder / 'mlflow.db'}"):
            yield


@pytest.fixture(autouse=True)
def own_experiment() -> Iterator[None]:
    """The experiment that a test sets is gone with it: in the store of the next test there is none of that number."""
    name = "MLFLOW_EXPERIMENT_ID"  # for processes that this one starts
    before, in_environment = fluent._active_experiment_id, os.environ.get(name)
    yield
    fluent._active_experiment_id = before
    os.environ.pop(name, None)
    if in_environment is not None:
        os.environ[name] = in_environment


@contextmanager
def tracking(uri: str) -> Iterator[None]:
    """Use another MLflow store for a while."""
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """Runs the command line in this process and returns its exit code."""

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["pars", *arguments])
        try:
            cli.main()
        except SystemExit as ended:
            return int(ended.code or 0)
        return 0

    with monkeypatch.context() as patch:  # what `main` sets is unset again
        patch.setattr(os, "environ", os.environ.copy())
        patch.setattr(sys, "excepthook", sys.excepthook)
        patch.setattr(threading, "excepthook", threading.excepthook)
        make_records = logging.getLogRecordFactory()
        yield run
        logging.setLogRecordFactory(make_records)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database with its tables made: making them takes seconds, copying the file does not."""
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture(scope="session")
def demo_llm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a small random-weight Llama."""
    return write_demo_llm(tmp_path_factory.mktemp("llm") / "demo")


@pytest.fixture(scope="session")
def ranker_store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of a registry with three rankers for `demo-llm`: 1 counts words and is the champion, 2 is its opposite,
    and 3 does not load; and one for `wordy-llm`, whose answers are ten times as long. The instant tier of each says the
    same as its encoder."""
    folder = tmp_path_factory.mktemp("store")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    with tracking(uri):
        # Not `set_experiment`, which stands for all tests that follow, whatever store they use.
        experiment = mlflow.create_experiment("rankers", (folder / "artifacts").as_uri())
        for weight in (1.0, -1.0, 2.0):
            with mlflow.start_run(experiment_id=experiment):
                store.register(write_ranker(folder / f"weight{weight}", weight=weight, instant_weight=1.0))
        with mlflow.start_run(experiment_id=experiment):
            store.register(write_ranker(folder / "wordy", "wordy-llm", instant_weight=1.0, **TEN_TIMES_AS_LONG))
        store.promote("wordy-llm", 1)
        store.promote("demo-llm", 1)
        (fetched("demo-llm", 3) / "ranker.onnx").write_bytes(b"not a network")
    return uri


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, demo_llm: Path, ranker_store: str) -> Iterator[RunningServer]:
    """`bentoml serve` with the demo LLM, which ends its own answers, and the champion."""
    settings = {
        "MLFLOW_TRACKING_URI": ranker_store,
        "PARS_TARGET_LLM": "demo-llm",
        "PARS_LLM": str(demo_llm),
        "PARS_VLLM_ARGS": f"{VLLM_ARGS} --max-num-seqs 2 {TOOLS} {ENDS}",
        "PARS_CHAMPION_POLL_S": "0.5",
    }
    port = free_port()
    log = tmp_path_factory.mktemp("server") / "log.txt"
    with running(["bentoml", "serve", "--port", str(port)], port, settings, log) as started:
        yield started


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory, demo_llm: Path, ranker_store: str) -> Iterator[RunningServer]:
    """The same application with an API key, every route that vLLM has, several target LLMs (one of them a LoRA adapter,
    `plain` without a ranker), and a spy before the engine."""
    adapter = write_adapter(tmp_path_factory.mktemp("adapter"))
    names = f"--served-model-name demo-llm plain --enable-lora --max-lora-rank 8 --lora-modules wordy={adapter}"
    settings = {
        "MLFLOW_TRACKING_URI": ranker_store,
        "PARS_TARGET_LLM": "demo-llm",
        "PARS_LLM": str(demo_llm),
        "PARS_RANKERS": "demo-llm=demo-llm,wordy=wordy-llm",
        "PARS_VLLM_ARGS": f"{VLLM_ARGS} --max-num-seqs 2 --enable-scale-out --api-key {API_KEY} {names}",
        "PARS_CHAMPION_POLL_S": "3600",
    }
    port = free_port()
    log = tmp_path_factory.mktemp("engine") / "log.txt"
    with running(["tests.engine_host", str(port)], port, settings, log) as started:
        yield started
