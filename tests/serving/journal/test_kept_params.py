"""What is kept of a request's parameters where no text may be."""

from typing import Any

import pytest

from benchmarks.policies.outlen_bucket import bucket_of
from serving.journal.kept_params import without_text

TOOLS = [{"type": "function", "function": {"name": "zanzibar", "description": "zanzibar"}}]
CHOICE = {"type": "function", "function": {"name": "zanzibar"}}
THINKING = {"type": "enabled", "budget_tokens": 4096}
SWITCH = {"enable_thinking": False}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "zanzibar", "schema": {"zanzibar": {}}}}


@pytest.mark.parametrize(
    ("params", "kept"),
    [
        ({"max_tokens": 5, "continue_final_message": True}, {"max_tokens": 5, "continue_final_message": True}),
        ({"tools": TOOLS, "tool_choice": "auto"}, {"tools": 1, "tool_choice": "auto"}),
        ({"tool_choice": CHOICE}, {"tool_choice": {"type": "function"}}),
        ({"tool_choice": "zanzibar"}, {"tool_choice": 8}),
        ({"reasoning": {"effort": "high", "zanzibar": 1}}, {"reasoning": {"effort": "high"}}),
        ({"thinking": THINKING}, {"thinking": THINKING}),
        ({"chat_template_kwargs": SWITCH | {"zanzibar": "x"}}, {"chat_template_kwargs": SWITCH}),
        ({"response_format": SCHEMA}, {"response_format": {"type": "json_schema", "json_schema": 48}}),
        ({"response_format": {"type": "zanzibar"}}, {"response_format": {"type": 8}}),
        ({"stop": ["zanzibar", "x"]}, {"stop": 2}),
    ],
)
def test_numbers_switches_and_sizes_are_kept_and_no_word_of_the_client(
    params: dict[str, Any], kept: dict[str, Any]
) -> None:
    assert without_text(params) == kept


@pytest.mark.parametrize(
    "params",
    [
        {"tools": TOOLS, "tool_choice": "required"},
        {"tools": TOOLS, "tool_choice": "none"},
        {"reasoning": {"effort": "high"}, "max_output_tokens": 9000},
        {"chat_template_kwargs": {"enable_thinking": True}},
        {"max_tokens": 10},
    ],
)
def test_the_rules_on_parameters_say_the_same_of_what_is_kept(params: dict[str, Any]) -> None:
    assert bucket_of(without_text(params)) == bucket_of(params)
