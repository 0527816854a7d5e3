"""`pars import`: any log as partitioned parquet of our own form."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest

from registry.errors import InvalidInput
from tests.servers import PROJECT
from tests.traffic.logs import Rows, labels, write
from traffic.describe import DescribeConfig, describe_log
from traffic.importing.import_log import ImportConfig, Imported, import_log
from traffic.importing.partitioned_rows import PartitionedRows
from traffic.length_log import LengthLogSource, read_length_log
from traffic.read import rows_with_params
from traffic.recorded import read_recorded
from traffic.rows.row import Row
from traffic.rows.rules import RowRules

MODELS = ["org/large", "small: v2 %", "großes Modell", "..", "", None, "__HIVE_DEFAULT_PARTITION__"]
CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why \U0001f600?"}]


def rows_of(models: list[str | None], num_rows: int = 140) -> Rows:
    return [
        {
            "prompt": f"prompt {n}",
            "output_tokens": n + 1,
            "model": models[n % len(models)],
            "finish_reason": ["length", "stop", None][n % 3],
            "max_tokens": n,
            "session": f"s{n % 46}",
        }
        for n in range(num_rows)
    ]


def imported(tmp_path: Path, rows: Rows, **choice: Any) -> tuple[Imported, Path]:
    log = write(tmp_path / "log.jsonl", rows)
    return import_log(ImportConfig(log=log, out=tmp_path / "out", **choice)), tmp_path / "out"


def test_each_target_is_read_back_as_from_the_log_itself(tmp_path: Path) -> None:
    told, out = imported(tmp_path, rows_of(MODELS))
    assert told.rows == told.labelled == 140
    assert told.targets == {model: 20 for model in MODELS if model is not None}
    for model in filter(None, MODELS):
        before, after = (
            read_length_log(LengthLogSource(lengths=path, model=model)) for path in (tmp_path / "log.jsonl", out)
        )
        assert labels(after) == labels(before) and after.digest == before.digest
        assert after.splits == before.splits and after.grouped_by == before.grouped_by == "session"
        params = [row.params for row in rows_with_params(out, RowRules(), model)]
        assert params == [row.params for row in rows_with_params(tmp_path / "log.jsonl", RowRules(), model)]
    assert describe_log(DescribeConfig(log=out)).targets == told.targets
    assert describe_log(DescribeConfig(log=out)).rows == 140


def test_other_tools_read_the_folder_too(tmp_path: Path) -> None:
    _, out = imported(tmp_path, rows_of(["org/large", None]))
    table = ds.dataset(out, partitioning="hive").to_table()
    assert table["model"].to_pylist().count("org/large") == table["model"].null_count == 70


def test_one_target_is_read_without_touching_the_others(tmp_path: Path) -> None:
    _, out = imported(tmp_path, rows_of(["org/large", "small", None]))
    for path in out.rglob("*.parquet"):
        if "org%2Flarge" not in str(path):
            path.write_bytes(b"PAR1 broken")
    log = read_length_log(LengthLogSource(lengths=out, model="org/large"))
    assert log.counts.rows == 47 and log.notes == ()
    with pytest.raises(InvalidInput, match=r"no row is of model 'tiny'; the log holds org/large, small\."):
        read_length_log(LengthLogSource(lengths=out, model="tiny"))
    with pytest.raises(InvalidInput, match="must be a parquet file"):
        read_length_log(LengthLogSource(lengths=out))


def test_the_folder_of_one_target_is_a_log_of_it(tmp_path: Path) -> None:
    _, out = imported(tmp_path, rows_of(["org/large", "small"]))
    for path in (out / "model=small", out / "model=small" / "part-00000.parquet"):
        assert read_length_log(LengthLogSource(lengths=path, model="small")).counts.rows == 70
        with pytest.raises(InvalidInput, match=r"no row is of model 'org/large'; the log holds small"):
            read_length_log(LengthLogSource(lengths=path, model="org/large"))


def test_chats_can_be_replayed(tmp_path: Path) -> None:
    rows: Rows = [{"messages": [*CHAT, {"role": "assistant", "content": "So."}], "output_tokens": n} for n in (1, 2)]
    _, out = imported(tmp_path, [*rows, {"prompt": "plain", "output_tokens": 3}])
    source = LengthLogSource(lengths=out)
    found = read_recorded(source, read_length_log(source).views).values()
    assert [one.chat for one in found if one.chat is not None] == [CHAT]


def test_what_is_left_out_of_a_training_is_imported_and_said(tmp_path: Path) -> None:
    rows: Rows = [
        {"prompt": "a", "output_tokens": None},
        {"prompt": "b", "output_tokens": 0},
        {"prompt": "c", "output_tokens": None, "finish_reason": "error"},
        {"prompt": None, "output_tokens": 5},
        {"prompt": "d", "output_tokens": 5},
    ]
    told, out = imported(tmp_path, rows)
    assert (told.rows, told.labelled) == (5, 1)
    assert told.left_out == {"no_length": 1, "empty_answers": 1, "failed": 1, "no_text": 1}
    assert describe_log(DescribeConfig(log=out)).left_out == told.left_out
    assert json.loads((out / "_about" / "summary.json").read_text())["rows"] == 5


BAD: Rows = [
    {"prompt": "secret", "output_tokens": 1.5},
    {"prompt": {"secret": "secret"}, "output_tokens": 2},
    {"prompt": "fine", "output_tokens": 2},
]


def test_all_bad_rows_stand_in_one_table_without_a_prompt(tmp_path: Path) -> None:
    told, out = imported(tmp_path, BAD * 50, bad_row_share=0.7)
    assert (told.rows, told.bad_rows) == (50, 100)
    table = (out / "_about" / "bad_rows.csv").read_text().splitlines()
    assert table[0] == "file,row,counted_by,column,rule,value" and len(table) == 101
    assert table[1].startswith("log.jsonl,1,row,output_tokens,a length must be") and table[1].endswith(",1.5")
    assert table[2].startswith("log.jsonl,2,row,prompt,") and table[2].endswith(",")
    assert "secret" not in "".join(table)
    assert describe_log(DescribeConfig(log=out)).notes == []


def test_a_refused_log_leaves_only_the_table_of_its_bad_rows(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"(?s)100 of 150 rows are bad.*All bad rows stand in .*_out\.bad_rows\.csv"):
        imported(tmp_path, BAD * 50)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["_out.bad_rows.csv", "log.jsonl"]


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_there_is_not_overwritten(tmp_path: Path, kind: str) -> None:
    imported(tmp_path, rows_of(["a"]))
    out = tmp_path / "out" if kind == "folder" else tmp_path / "log.jsonl"
    with pytest.raises(InvalidInput, match=r"out must be a folder that is new or empty, but .* already"):
        import_log(ImportConfig(log=tmp_path / "log.jsonl", out=out))


IMPORT = """
import sys
from pathlib import Path
from traffic.importing.import_log import ImportConfig, import_log
import_log(ImportConfig(log=Path(sys.argv[1]), out=Path(sys.argv[2])))
"""


def test_a_killed_import_leaves_nothing_that_is_taken_for_a_log(tmp_path: Path) -> None:
    pipe, out = tmp_path / "log.csv", tmp_path / "logs" / "out"
    big = write(tmp_path / "log.jsonl", rows_of(["a", "b"], 200_000))
    command = [sys.executable, "-c", IMPORT, str(big), str(out)]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    unfinished = out.parent / ".out.unfinished"
    while not list(unfinished.rglob("*.parquet")):
        assert process.poll() is None
        time.sleep(0.01)
    with pytest.raises(InvalidInput, match="another writes"):
        import_log(ImportConfig(log=big, out=out))
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not out.exists() and unfinished.exists() and not pipe.exists()
    with pytest.raises(InvalidInput, match="a folder must hold"):
        describe_log(DescribeConfig(log=out.parent))
    assert import_log(ImportConfig(log=write(tmp_path / "log.jsonl", rows_of(["c"])), out=out)).rows == 140
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_files_and_what_waits_are_bounded(tmp_path: Path) -> None:
    with PartitionedRows(tmp_path, file_bytes=20_000, waiting_rows=1_000) as files:
        for number in range(5_000):
            files.add(Row(f"prompt {number}", number, "ended", model=f"m{number % 200 if number % 2 else 0}"))
    rows = [fragment.count_rows() for fragment in ds.dataset(tmp_path).get_fragments()]
    assert files.num_files == len(rows) > 101 and sum(rows) == 5_000
    assert max(rows) < 1_000, "of the largest target there are 2,500"
    prompts = [row.text for row in rows_with_params(tmp_path, RowRules(), "m0")]
    assert prompts == [f"prompt {number}" for number in range(0, 5_000, 2)], "in the order of the log"


@pytest.mark.parametrize(
    ("models", "told"), [(["x" * 300], "must fit a folder's"), ([f"m{n}" for n in range(1001)], "1,000 target LLMs")]
)
def test_a_column_that_names_no_target_llms_is_refused(tmp_path: Path, models: list[str], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        imported(tmp_path, [{"prompt": "p", "output_tokens": 1, "model": model} for model in models])
    assert not (tmp_path / "out").exists()
