"""A ranker for a name that is not served is refused at the start."""

from argparse import Namespace
from types import SimpleNamespace

import pytest

from serving.config import Settings, SettingsError
from serving.hosts.served_names import ADAPTERS_MAY_COME, check_rankers, served_names

ARGS = Namespace(
    model="/models/llama", served_model_name=["chat", "talk"], lora_modules=[SimpleNamespace(name="sql", path="/a")]
)


def test_names_are_the_served_ones_and_the_adapters_or_else_the_models() -> None:
    assert served_names(ARGS) == ["chat", "talk", "sql"]
    assert served_names(Namespace(model="/models/llama", served_model_name=None, lora_modules=None)) == [
        "/models/llama"
    ]


def test_ranker_for_a_stranger_is_refused_with_the_names_that_are_served() -> None:
    check_rankers(Settings(rankers={"sql": "sql-llm", "talk": "chat-llm"}), ARGS)
    with pytest.raises(SettingsError, match=r"\(chat, talk, sql\), but got slq;"):
        check_rankers(Settings(rankers={"slq": "sql-llm", "talk": "chat-llm"}), ARGS)


def test_where_adapters_may_be_loaded_any_name_may_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ADAPTERS_MAY_COME, "True")
    check_rankers(Settings(rankers={"later": "sql-llm"}), ARGS)
