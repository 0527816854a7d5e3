"""The server's settings: defaults, and errors that name what is wrong."""

import os
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from registry.telemetry import QUIET
from serving.config import SettingsError, load_settings
from serving.work.step_cost import StepCost


@pytest.fixture(autouse=True)
def clean_environment() -> Iterator[None]:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("PARS_") and name not in QUIET
    }
    with patch.dict(os.environ, inherited, clear=True):
        yield


def test_defaults_are_the_demos() -> None:
    settings = load_settings()
    assert (settings.target_llm, settings.llm) == ("demo-llm", ".demo/llm")
    assert "--max-num-seqs" in settings.vllm_flags
    assert settings.is_demo
    assert (settings.patience_s, settings.ranking_backlog_ms, settings.score_cache) == (120, 2000, 10_000)
    assert (settings.cap_by_max_tokens, settings.trust_client_priority, settings.ranking) == (True, False, True)
    assert (settings.cache, settings.max_body_bytes) == (Path(".pars/rankers"), 4_194_304)
    assert (settings.rankers, settings.target_llms) == ({}, ["demo-llm"])
    assert (settings.fallback_of("demo-llm"), settings.require_ranker) == (None, False)
    assert settings.ordering_file == Path(".pars/ordering")


def test_another_model_brings_its_own_name_and_none_of_the_demos_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARS_LLM", "meta-llama/Llama-3.1-8B-Instruct")
    settings = load_settings()
    assert settings.target_llm == "meta-llama/Llama-3.1-8B-Instruct"
    assert settings.vllm_flags == []
    assert not settings.is_demo
    settings.check_llm()


def test_everything_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PARS_TARGET_LLM": "demo-llm",
        "PARS_LLM": "some/model",
        "PARS_VLLM_ARGS": "--dtype float32 --chat-template 'a b'",
        "PARS_PATIENCE_S": "0",
        "PARS_RANKING": "off",
        "PARS_CAP_BY_MAX_TOKENS": "off",
        "PARS_TRUST_CLIENT_PRIORITY": "on",
        "PARS_RANKERS": "chat=demo-llm, sql = sql-llm,draft=demo-llm",
        "PARS_CACHE": "/var/lib/pars",
        "PARS_FALLBACK_RANKER": "sql-llm=/rankers/sql, demo-llm=/rankers/demo",
        "PARS_REQUIRE_RANKER": "on",
        "PARS_ORDERING_FILE": "/run/pars/ordering",
        "PARS_MAX_BODY_BYTES": "1000",
    }.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert (settings.target_llm, settings.llm) == ("demo-llm", "some/model")
    assert settings.vllm_flags == ["--dtype", "float32", "--chat-template", "a b"]
    assert (settings.patience_s, settings.ranking) == (0, False)
    assert settings.rankers == {"chat": "demo-llm", "sql": "sql-llm", "draft": "demo-llm"}
    assert settings.target_llms == ["demo-llm", "sql-llm"]
    assert (settings.cap_by_max_tokens, settings.trust_client_priority) == (False, True)
    assert (settings.cache, settings.max_body_bytes) == (Path("/var/lib/pars"), 1000)
    assert [settings.fallback_of(one) for one in ("sql-llm", "demo-llm")] == [
        Path("/rankers/sql"),
        Path("/rankers/demo"),
    ]
    assert (settings.require_ranker, settings.ordering_file) == (True, Path("/run/pars/ordering"))


def test_cost_is_ready_made_or_a_file_and_may_assume_other_coefficients(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert load_settings().step_cost is None
    measured = StepCost.read("cpu-2-cores-llama-48")
    for text, cost in {
        "": None,
        "cpu-2-cores-llama-48": measured,
        str(measured.write(tmp_path)): measured,
        "cpu-2-cores-llama-48,fixed_s=0.5": measured.assuming({"fixed_s": 0.5}),
    }.items():
        monkeypatch.setenv("PARS_COST", text)
        assert load_settings().step_cost == cost


def test_one_fallback_is_for_every_target_even_if_its_path_looks_like_pairs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for folder in (Path("/rankers/any"), tmp_path / "a=b"):
        if folder.parent == tmp_path:
            folder.mkdir()
        monkeypatch.setenv("PARS_FALLBACK_RANKER", str(folder))
        assert load_settings().fallback_of("demo-llm") == folder
    monkeypatch.setenv("PARS_FALLBACK_RANKER", "")
    assert load_settings().fallback_of("demo-llm") is None


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PARS_PATIENCE_S", "soon", ["PARS_PATIENCE_S", "'soon'"]),
        ("PARS_PATIENCE_S", "-1", ["PARS_PATIENCE_S", "greater than or equal to 0", "'-1'"]),
        ("PARS_PATIENCE_S", "nan", ["PARS_PATIENCE_S", "'nan'"]),
        ("PARS_PATIENCE_S", "1e12", ["PARS_PATIENCE_S", "'1e12'"]),
        ("PARS_PATIENCE_S", "3600", ["PARS_REQUEST_TIMEOUT_S", "3600"]),
        ("PARS_PATIENCE", "3", ["PARS_PATIENCE ", "did you mean PARS_PATIENCE_S?"]),
        ("PARS_PATIENC_S", "3", ["PARS_PATIENC_S ", "did you mean PARS_PATIENCE_S?"]),
        ("PARS_RANKR", "a=b", ["PARS_RANKR ", "did you mean PARS_RANKERS?"]),
        ("PARS_PORT", "3000", ["PARS_PORT is no setting"]),
        ("PARS_WEATHER_TODAY_Q", "rain", ["PARS_WEATHER_TODAY_Q ", "there are ", "PARS_PATIENCE_S"]),
        ("PARS_RANKING", "perhaps", ["PARS_RANKING", "'perhaps'"]),
        ("PARS_SCORE_CACHE", "-1", ["greater than or equal to 0", "-1"]),
        ("PARS_REQUEST_TIMEOUT_S", "60", ["PARS_REQUEST_TIMEOUT_S", "PARS_PATIENCE_S", "60"]),
        ("PARS_TARGET_LLM", "", ["PARS_TARGET_LLM"]),
        ("PARS_COST", "gpu", ["PARS_COST", "cpu-2-cores-llama-48", "measure-engine wrote", "'gpu'"]),
        ("PARS_COST", "cpu-2-cores-llama-48,fixed=1", ["PARS_COST", "fixed_s", "'fixed'"]),
        ("PARS_COST", "cpu-2-cores-llama-48,fixed_s=-1", ["PARS_COST", "at least 0 seconds", "-1"]),
        ("PARS_RANKERS", "chat", ["PARS_RANKERS", "NAME=TARGET_LLM", "'chat'"]),
        ("PARS_RANKERS", "chat=", ["PARS_RANKERS", "NAME=TARGET_LLM", "'chat='"]),
        ("PARS_RANKERS", "chat=a,chat=b", ["PARS_RANKERS", "each model once", "'chat=a,chat=b'"]),
        ("PARS_FALLBACK_RANKER", "other-llm=/rankers/other", ["PARS_FALLBACK_RANKER", "demo-llm", "got other-llm"]),
        ("PARS_FALLBACK_RANKER", "demo-llm=", ["PARS_FALLBACK_RANKER", "TARGET_LLM=PATH", "'demo-llm='"]),
        ("PARS_REQUIRE_RANKER", "perhaps", ["PARS_REQUIRE_RANKER", "'perhaps'"]),
        ("PARS_MAX_BODY_BYTES", "0", ["PARS_MAX_BODY_BYTES", "'0'"]),
        ("PARS_VLLM_ARGS", "--dtype 'half", ["PARS_VLLM_ARGS", "'half"]),
        ("PARS_VLLM_ARGS", "--scheduling-policy fcfs", ["--scheduling-policy", "priority"]),
        ("PARS_VLLM_ARGS", "--scheduling_policy=fcfs", ["--scheduling-policy", "priority"]),
        ("PARS_VLLM_ARGS", "--max-num-seqs 4 --port=8000", ["--port", "bentoml serve --port"]),
        ("PARS_VLLM_ARGS", "--middleware a.B", ["--middleware"]),
        ("PARS_VLLM_ARGS", "--model other", ["--model", "PARS_LLM"]),
    ],
)
def test_wrong_setting_is_named_with_its_value_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: list[str]
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    message = str(caught.value)
    assert all(word in message for word in words), message
    assert "\n" not in message


def test_missing_model_folder_says_what_to_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=r"make demo.*PARS_LLM"):
        load_settings().check_llm()
    (tmp_path / ".demo/llm").mkdir(parents=True)
    load_settings().check_llm()


def test_libraries_are_told_to_be_quiet_unless_the_user_said_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VLLM_NO_USAGE_STATS", "0")
    monkeypatch.setenv("PARS_LLM", str(tmp_path))
    load_settings()
    assert os.environ["VLLM_NO_USAGE_STATS"] == "0"
    assert os.environ["BENTOML_DO_NOT_TRACK"] == "True"
    assert os.environ["HF_HUB_OFFLINE"] == "1", "a model in a local folder needs no hub"
