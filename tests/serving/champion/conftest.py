"""Rankers of two target LLMs, of which the second answers at ten times the length."""

from pathlib import Path

import pytest

from tests.rankers import TEN_TIMES_AS_LONG, write_ranker


@pytest.fixture(scope="module")
def brief(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_ranker(tmp_path_factory.mktemp("brief"), "brief-llm")


@pytest.fixture(scope="module")
def wordy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_ranker(tmp_path_factory.mktemp("wordy"), "wordy-llm", **TEN_TIMES_AS_LONG)
