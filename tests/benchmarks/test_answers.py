"""The schema that replay and simulation share."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.answers import COLUMNS, check_answers, read_answers, write_answers
from registry.errors import InvalidInput

WHOLE = pd.DataFrame({name: [1.0] for name in COLUMNS} | {"policy": ["fcfs"], "request": [0], "replica": [3]})


def test_table_comes_back_as_it_was_written(tmp_path: Path) -> None:
    pd.testing.assert_frame_equal(read_answers(write_answers(WHOLE, tmp_path)), WHOLE)


@pytest.mark.parametrize("name", list(COLUMNS))
def test_missing_column_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=f"has no '{name}' "):
        check_answers(WHOLE.drop(columns=name))
    with pytest.raises(InvalidInput, match=f"has no '{name}' "):
        write_answers(WHOLE.drop(columns=name), tmp_path)


def test_runs_of_one_load_must_have_answered_the_same_requests() -> None:
    runs = [WHOLE.assign(policy=policy, request=request) for policy in ("fcfs", "pars") for request in (1, 2)]
    whole = pd.concat(runs, ignore_index=True)
    other_load = WHOLE.assign(load=float("nan"), request=7)
    check_answers(pd.concat([whole, other_load]))
    with pytest.raises(InvalidInput, match=r"of 2 requests .* answered fcfs/1: 2, pars/1: 1; compare whole runs"):
        check_answers(whole.iloc[:3])
    with pytest.raises(InvalidInput, match="of 3 requests"):
        check_answers(pd.concat([whole.iloc[:3], WHOLE.assign(policy="pars", request=3)]))
    with pytest.raises(InvalidInput, match=r"pars \(repeat 1, load 1\) answered 2 twice"):
        check_answers(pd.concat([whole, whole.iloc[3:]]))


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"there is no file .*nothing\.parquet"):
        read_answers(tmp_path / "nothing.parquet")
