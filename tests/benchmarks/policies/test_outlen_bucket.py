"""`benchmarks/policies/outlen_bucket.py` and the rules that it follows, with the rows that `traffic` reads for it."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.policies.outlen_bucket import bucket_places
from registry.request_features import asked_of
from traffic.read import rows_with_params
from traffic.rows.rules import RowRules
from training.judging.baselines.llm_d_rules import Bucket, bucket_of

TOOLS = [{"type": "function", "function": {"name": "look_up"}}]
THINKING = {"enable_thinking": True}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, "UNKNOWN"),
        ({"chat_template_kwargs": THINKING}, "LONG"),
        ({"chat_template_kwargs": THINKING, "tools": TOOLS}, "LONG"),
        ({"chat_template_kwargs": THINKING, "max_tokens": 1999}, "UNKNOWN"),
        ({"chat_template_kwargs": THINKING, "max_tokens": 2000}, "LONG"),
        ({"chat_template_kwargs": THINKING, "max_tokens": 100}, "UNKNOWN"),
        ({"chat_template_kwargs": {"thinking_budget": 4001}}, "LONG"),
        ({"chat_template_kwargs": {"reasoning_budget": 8000}}, "LONG"),
        ({"chat_template_kwargs": {"thinking_budget": 4000}}, "UNKNOWN"),
        ({"chat_template_kwargs": {"thinking_budget": 9000, "enable_thinking": False}}, "UNKNOWN"),
        ({"chat_template_kwargs": {"thinking": {"type": "enabled"}}}, "LONG"),
        ({"thinking": {"type": "disabled"}, "tools": TOOLS}, "SHORT"),
        ({"reasoning": {"effort": "low"}}, "LONG"),
        ({"reasoning": {"effort": "none"}, "tools": TOOLS}, "SHORT"),
        ({"tool_choice": "required"}, "SHORT"),
        ({"tool_choice": {"type": "function", "function": {"name": "look_up"}}}, "SHORT"),
        ({"tools": TOOLS}, "SHORT"),
        ({"tools": []}, "UNKNOWN"),
        ({"tools": TOOLS, "tool_choice": "none"}, "UNKNOWN"),
        ({"continue_final_message": True}, "SHORT"),
        ({"max_completion_tokens": 499}, "SHORT"),
        ({"max_tokens": 500}, "UNKNOWN"),
        ({"max_tokens": True, "chat_template_kwargs": "high", "reasoning": 3}, "UNKNOWN"),
    ],
)
def test_the_first_rule_that_fits_decides(params: dict[str, Any], expected: str) -> None:
    assert bucket_of(asked_of(params)) is Bucket[expected]


def test_parameters_are_found_in_every_form_of_log(tmp_path: Path) -> None:
    own = [
        {"prompt": "a", "output_tokens": 1, "tools": json.dumps(TOOLS)},
        {"prompt": "b", "output_tokens": 2, "chat_template_kwargs": THINKING},
        {"prompt": "c", "output_tokens": 3, "max_tokens": None},
    ]
    batch = [{"custom_id": "1", "body": {"prompt": "d", "max_tokens": 20}}]
    batch += [{"custom_id": "2", "body": {"input": "e", "reasoning": {"effort": "high"}}}]
    litellm = {"startTime": "2026-01-01T00:00:00Z", "completion_tokens": 9, "status": "success"}
    proxied = {"messages": [{"role": "user", "content": "f"}], "tool_choice": "required"}
    spent = [litellm | {"proxy_server_request": json.dumps(proxied), "response": "{}"}]
    prompts = {"own": "abc", "batch": "de", "spent": "f"}
    told = {"own": "1 SHORT, 1 UNKNOWN, 1 LONG", "batch": "1 SHORT, 0 UNKNOWN, 1 LONG", "spent": "1 SHORT, 0 UNKNOWN"}
    for name, rows in (("own", own), ("batch", batch), ("spent", spent)):
        (path := tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
        _, sentence = bucket_places(rows_with_params(path, RowRules()), list(prompts[name]))
        assert told[name] in sentence


def test_short_comes_before_unknown_before_long_and_within_one_nobody_is_before_another(tmp_path: Path) -> None:
    rows = [{"prompt": "long", "output_tokens": 1, "reasoning": {"effort": "high"}}]
    rows += [{"prompt": "short", "output_tokens": 1, "max_tokens": 9}, {"prompt": "x", "output_tokens": 1}]
    rows += [{"prompt": "either", "output_tokens": 1, "max_tokens": cap} for cap in (9, 900)]
    (path := tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, rows)))
    prompts = ["long", "x", "y", "either", "short"]
    places, _ = bucket_places(rows_with_params(path, RowRules()), prompts)
    long, unknown, unheard_of, either, short = places.tolist()
    assert short < either < unknown == unheard_of < long


def test_a_log_without_parameters_is_said_to_be_first_come_first_served(tmp_path: Path) -> None:
    (path := tmp_path / "log.jsonl").write_text('{"prompt": "a", "output_tokens": 3}')
    places, sentence = bucket_places(rows_with_params(path, RowRules()), ["a", "b"])
    assert len(set(places.tolist())) == 1
    assert "0 SHORT, 2 UNKNOWN, 0 LONG: no request has such parameters, so it is FCFS by itself." in sentence
