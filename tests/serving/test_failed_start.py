"""`bentoml serve` with what it cannot start with: it says why in one line, and ends."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import PROJECT, VLLM_ARGS, free_port, server_environment

NOBODY = {"PARS_TARGET_LLM": "nobody", "PARS_LLM": "."}
UNREACHABLE = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}


def serve_in_vain(settings: dict[str, str], folder: Path = PROJECT, target: tuple[str, ...] = ()) -> str:
    """Run `bentoml serve` with settings that it cannot start with; returns what it said."""
    ended = subprocess.run(
        [sys.executable, "-m", "bentoml", "serve", *target, "--port", str(free_port())],
        cwd=folder,
        env=server_environment(settings),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 1, ended.stderr
    return ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"PARS_PATIENCE_S": "soon"}, "PARS_PATIENCE_S"),
        ({"PARS_VLLM_ARGS": "--port 8000"}, "--port"),
        ({"PARS_LLM": "./nothing/here"}, "make demo"),
        ({"PARS_PATIENC_S": "3"}, "did you mean PARS_PATIENCE_S?"),
        ({"PARS_LLM": ".", "PARS_FALLBACK_RANKER": "./nothing/here"}, "PARS_FALLBACK_RANKER must be a ranker's folder"),
        ({**NOBODY, "PARS_REQUIRE_RANKER": "on"}, "-e promote -P target_llm=nobody"),
        ({**NOBODY, "PARS_REQUIRE_RANKER": "on", **UNREACHABLE}, "set MLFLOW_TRACKING_URI"),
    ],
)
def test_server_that_cannot_start_says_why_and_exits(ranker_store: str, settings: dict[str, str], words: str) -> None:
    said = serve_in_vain({"MLFLOW_TRACKING_URI": ranker_store, **settings})
    assert words in said
    assert "Traceback" not in said
    assert len([line for line in said.splitlines() if "Error:" in line or "[WARNING]" in line]) == 1


@pytest.mark.slow
def test_unknown_vllm_flag_is_named_before_the_model_loads(ranker_store: str, demo_llm: Path) -> None:
    settings = {"MLFLOW_TRACKING_URI": ranker_store, "PARS_TARGET_LLM": "demo-llm", "PARS_LLM": str(demo_llm)}
    said = serve_in_vain({**settings, "PARS_VLLM_ARGS": "--max-num-sequences 3"})
    assert "PARS_VLLM_ARGS" in said
    assert "--max-num-sequences" in said
    assert "Initializing a V1 LLM engine" not in said


@pytest.mark.slow
def test_engine_that_cannot_start_ends_the_service_though_its_workers_hear_no_signal(
    ranker_store: str, demo_llm: Path, tmp_path: Path
) -> None:
    settings = {"MLFLOW_TRACKING_URI": ranker_store, "PARS_TARGET_LLM": "demo-llm", "PARS_LLM": str(demo_llm)}
    settings["PARS_CACHE"] = str(tmp_path)
    said = serve_in_vain({**settings, "PARS_VLLM_ARGS": f"{VLLM_ARGS} --block-size 16"})
    assert "block size" in said, "vLLM's CPU build finds out when its workers run"
    assert "the engine does not run" in said


@pytest.mark.slow
def test_built_bento_is_served_from_another_folder(ranker_store: str, tmp_path: Path) -> None:
    environment = {**server_environment({}), "BENTOML_HOME": str(tmp_path / "bentoml")}
    built = subprocess.run(
        [sys.executable, "-m", "bentoml", "build", "-f", "bentofile.cpu.yaml", "--version", "test"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    settings = {"BENTOML_HOME": environment["BENTOML_HOME"], "MLFLOW_TRACKING_URI": ranker_store}
    settings |= {**NOBODY, "PARS_REQUIRE_RANKER": "on", "PYTHONPATH": ""}
    assert "no champion" in serve_in_vain(settings, tmp_path, ("pars:test",)), "its code must run up to here"
