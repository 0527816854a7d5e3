"""The schema that replay and simulation share."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.answers import COLUMNS, check_answers, read_answers, write_answers
from registry.errors import InvalidInput

WHOLE = pd.DataFrame({name: [1.0] for name in COLUMNS} | {"policy": ["fcfs"], "replica": [3]})


def test_table_comes_back_as_it_was_written(tmp_path: Path) -> None:
    pd.testing.assert_frame_equal(read_answers(write_answers(WHOLE, tmp_path)), WHOLE)


@pytest.mark.parametrize("name", list(COLUMNS))
def test_missing_column_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=f"has no '{name}' "):
        check_answers(WHOLE.drop(columns=name))
    with pytest.raises(InvalidInput, match=f"has no '{name}' "):
        write_answers(WHOLE.drop(columns=name), tmp_path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"there is no file .*nothing\.parquet"):
        read_answers(tmp_path / "nothing.parquet")
