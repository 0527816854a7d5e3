"""Recorded lengths, read as they are. They are no part of the project: the variable LENGTH_DATA says where they lie."""

import os
from pathlib import Path

import pandas as pd
import pytest

from registry.errors import InvalidInput
from traffic.length_log import LengthLogSource, read_length_log


@pytest.fixture(scope="module")
def data() -> Path:
    folder = os.environ.get("LENGTH_DATA", "")
    if not (Path(folder) / "alpaca.parquet").is_file():
        pytest.skip(f"recorded lengths are needed, but LENGTH_DATA is {folder!r}; it must name their folder.")
    return Path(folder)


def test_alpaca_is_read_as_it_is_and_its_empty_answers_are_counted(data: Path) -> None:
    log = read_length_log(LengthLogSource(lengths=data / "alpaca.parquet", length_column="text-davinci-003"))
    assert (log.counts.rows, log.counts.empty_answers, log.counts.labelled) == (52_002, 28, 51_974)
    assert log.digest == "b7687817e8b4ced96f50f4efd28cf25f"  # as version 0.1.0 read it
    shares = {split: log.splits.count(split) / len(log.prompts) for split in ("train", "validation", "test")}
    assert shares == pytest.approx({"train": 0.8, "validation": 0.1, "test": 0.1}, abs=0.01)


def test_log_of_many_models_needs_a_choice(data: Path) -> None:
    lengths = data / "alpaca_eval.parquet"
    with pytest.raises(InvalidInput, match="give model=NAME"):
        read_length_log(LengthLogSource(lengths=lengths, length_column="response_tokens"))
    log = read_length_log(LengthLogSource(lengths=lengths, length_column="response_tokens", model="gpt4"))
    assert 700 < len(log.prompts) <= 805
    assert log.digest == "b1b970a013c4bf9767636791df741475"


def test_tasks_stay_whole_when_they_are_the_group(data: Path) -> None:
    lengths, model = data / "reasoning_gym.parquet", "meta-llama/llama-3.3-70b-instruct"
    log = read_length_log(
        LengthLogSource(lengths=lengths, length_column="response_tokens", model=model, group_column="task")
    )
    assert log.digest == "43185c737d05631b5721be14ecad4c6a"
    frame = pd.read_parquet(lengths, columns=["prompt", "task"]).drop_duplicates("prompt").set_index("prompt")
    splits = pd.Series(log.splits, index=frame.task.loc[list(log.prompts)].to_numpy())
    assert set(splits) == {"train", "validation", "test"}
    assert (splits.groupby(level=0).nunique() == 1).mean() > 0.95  # a few prompts stand in two tasks
