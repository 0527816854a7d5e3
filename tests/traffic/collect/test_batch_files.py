"""Requests as batch files, and their results as a log."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from registry.errors import InvalidInput
from tests.conftest import Command
from tests.traffic.logs import write
from traffic.collect.batch_files import write_batches
from traffic.collect.collect import write_requests
from traffic.collect.config import CollectConfig
from traffic.collect.questions import Question
from traffic.describe import DescribeConfig, describe_log


def config_of(folder: Path, **settings: Any) -> CollectConfig:
    path = write(folder / "prompts.jsonl", [{"prompt": f"question {number}"} for number in range(10)])
    return CollectConfig(
        **{"prompts": path, "model": "llm", "out": folder / "out", "batch_out": folder / "batch", **settings}
    )


def requests_in(*files: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def result(request: Mapping[str, Any], reason: str = "stop") -> dict[str, Any]:
    """As OpenAI's batches and `vllm run-batch` write it."""
    body = {
        "model": request["body"]["model"],
        "created": 1_700_000_000,
        "choices": [{"message": {"content": "x"}, "finish_reason": reason}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 5},
    }
    response = {"status_code": 200, "request_id": "r", "body": body}
    return {"id": "b", "custom_id": request["custom_id"], "response": response, "error": None}


def test_requests_and_results_in_one_folder_are_a_log(tmp_path: Path) -> None:
    config = config_of(tmp_path, samples=2, max_tokens=9)
    files, requests = write_requests(config)
    assert requests == 20
    written = requests_in(*files)
    assert {(one["method"], one["url"]) for one in written} == {("POST", "/v1/chat/completions")}
    assert {one["body"]["seed"] for one in written} == {0, 1}
    assert len({one["custom_id"] for one in written}) == 20
    write(
        tmp_path / "batch" / "results.jsonl", [result(one, "length" if n else "stop") for n, one in enumerate(written)]
    )
    found = describe_log(DescribeConfig(log=tmp_path / "batch"))
    assert (found.labelled, found.censored, found.targets) == (20, 19, {"llm": 20})


def test_what_a_batch_has_answered_is_not_asked_again(tmp_path: Path) -> None:
    files, _ = write_requests(config_of(tmp_path))
    failed = {"custom_id": requests_in(*files)[-1]["custom_id"], "response": {"status_code": 500}, "error": None}
    write(tmp_path / "batch" / "results.jsonl", [*map(result, requests_in(*files)[:-1]), failed])
    again, requests = write_requests(config_of(tmp_path, out=tmp_path / "batch", batch_out=tmp_path / "again"))
    assert requests == 1
    assert requests_in(*again)[0]["custom_id"] == failed["custom_id"]


def test_files_are_cut_by_requests_and_by_bytes(tmp_path: Path) -> None:
    questions = [Question(f"id-{number}", {"prompt": "x" * 100}) for number in range(10)]
    by_requests = write_batches(tmp_path / "a", "/completions", questions, most_requests=4)
    assert [len(requests_in(file)) for file in by_requests] == [4, 4, 2]
    by_bytes = write_batches(tmp_path / "b", "/completions", questions, most_bytes=500)
    assert all(file.stat().st_size <= 500 for file in by_bytes)
    assert [one["custom_id"] for one in requests_in(*by_bytes)] == [one.request_id for one in questions]


def test_requests_are_not_written_over(tmp_path: Path) -> None:
    write_requests(config_of(tmp_path))
    with pytest.raises(InvalidInput, match=r"requests-00001.jsonl is there; give another one, and out="):
        write_requests(config_of(tmp_path))


def test_a_batch_without_an_endpoint_needs_the_model(
    tmp_path: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "prompts.jsonl", [{"prompt": "question"}])
    words = ["collect", f"--prompts={path}", f"--batch-out={tmp_path / 'batch'}", f"--out={tmp_path / 'out'}"]
    assert command(*words) == 1
    assert "needs model=NAME" in capsys.readouterr().err
    assert command(*words, "--model=llm") == 0
    assert "1 requests in 1 files" in capsys.readouterr().out
