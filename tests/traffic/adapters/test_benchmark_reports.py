"""`traffic/adapters/vllm_bench.py` and `guidellm.py`: what benchmarks measured, as logs."""

import json
from pathlib import Path
from typing import Any

import pytest

from registry.errors import InvalidInput
from tests.traffic.adapters.foreign_logs import Json, bench, guidellm, guidellm_request
from traffic.describe import DescribeConfig, Description, describe_log
from traffic.length_log import LengthLogSource, read_length_log
from traffic.served_log import ServedLogSource, read_served_log


def wrote(path: Path, *values: Json) -> Path:
    log = path / "log.json"
    log.write_text("\n".join(map(json.dumps, values)))
    return log


def describe(path: Path, *values: Json) -> Description:
    return describe_log(DescribeConfig(log=wrote(path, *values)))


def test_runs_that_were_appended_are_one_served_log(tmp_path: Path) -> None:
    traffic = read_served_log(ServedLogSource(log=wrote(tmp_path, bench(5), bench(3))))
    assert (len(traffic.output_tokens), traffic.prompts) == (8, None)


def test_requests_that_failed_are_left_out(tmp_path: Path) -> None:
    run = bench(4)
    run["errors"][1], run["output_lens"][1], run["ttfts"][1] = "Connection reset", 0, 0.0
    found = describe(tmp_path, run)
    assert found.left_out == {"no_text": 3, "failed": 1}
    assert found.notes[0].startswith("4 requests of vllm bench serve have no prompts")


def test_results_without_details_say_how_to_have_them(tmp_path: Path) -> None:
    summary = {name: value for name, value in bench(4).items() if not isinstance(value, list)}
    with pytest.raises(InvalidInput, match="hold no requests; save them with --save-result --save-detailed"):
        describe(tmp_path, summary)


def test_columns_of_different_lengths_are_a_misfit(tmp_path: Path) -> None:
    run = bench(4)
    run["ttfts"].pop()
    found = describe(tmp_path, bench(2), run)
    assert (found.sources, found.left_out) == ({"vllm bench serve": 2}, {"no_text": 2, "misfits": 1})


def test_older_results_have_fewer_columns(tmp_path: Path) -> None:
    run = {name: value for name, value in bench(4).items() if name not in ("latencies", "errors", "itls")}
    assert len(read_served_log(ServedLogSource(log=wrote(tmp_path, run))).output_tokens) == 4


def report(*requests: Json, **others: Any) -> Json:
    made = guidellm(0)
    made["benchmarks"][0]["requests"] |= {"successful": [*requests], **others}
    return made


BODIES = {
    "prompt": {"prompt": "question 3"},
    "chat": {"messages": [{"role": "user", "content": "question 3"}]},
    "responses": {"input": [{"role": "user", "content": [{"type": "input_text", "text": "question 3"}]}]},
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("as_text", [lambda arguments: json.dumps(arguments), str], ids=["JSON", "Python"])
def test_prompts_are_what_was_sent(tmp_path: Path, as_text: Any, body: Json) -> None:
    arguments = {"method": "POST", "stream": True, "headers": None, "body": body | {"model": "m", "max_tokens": 9}}
    found = describe(tmp_path, report(guidellm_request(3) | {"request_args": as_text(arguments)}))
    assert (found.labelled, found.first, found.targets) == (1, "question 3", {"m": 1})


def test_reports_of_older_versions_have_the_prompt_itself(tmp_path: Path) -> None:
    one = {"prompt": "question 3", "prompt_tokens": 5, "output_tokens": 7, "start_time": 100.0, "end_time": 101.0}
    found = describe(tmp_path, report(one, one | {"start_time": 102.0}))
    assert (found.labelled, found.first) == (2, "question 3")


def test_prompts_that_were_not_kept_are_said(tmp_path: Path) -> None:
    found = describe(tmp_path, report(*(guidellm_request(n) | {"request_args": None} for n in range(3))))
    assert (found.left_out, found.notes[0][:40]) == ({"no_text": 3}, "3 requests of guidellm have no prompts i")


def test_lengths_that_the_benchmark_imposed_are_no_lengths_of_the_model(tmp_path: Path) -> None:
    body = {"prompt": "question 3", "ignore_eos": True, "max_tokens": 4}
    found = describe(tmp_path, report(guidellm_request(3) | {"request_args": json.dumps({"body": body})}))
    assert (found.labelled, found.censored) == (1, 1)
    assert "1 requests of guidellm imposed the length of their answer" in found.notes[0]


def test_what_did_not_end_is_censored_or_failed(tmp_path: Path) -> None:
    stopped = guidellm_request(3)
    failed = {**guidellm_request(4), "output_tokens": None, "output_metrics": {"text_tokens": None}}
    found = describe(tmp_path, report(guidellm_request(0), incomplete=[stopped], errored=[failed]))
    assert (found.labelled, found.censored, found.left_out) == (2, 1, {"failed": 1})


@pytest.mark.parametrize("empty", [guidellm(0), {"benchmarks": []}, {"benchmarks": [{"requests": None}]}])
def test_a_report_without_requests_is_an_empty_log(tmp_path: Path, empty: Json) -> None:
    with pytest.raises(InvalidInput, match="a log must hold at least one row"):
        read_length_log(LengthLogSource(lengths=wrote(tmp_path, empty)))
