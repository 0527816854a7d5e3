"""What is kept of a request's parameters where no text may be."""

from typing import Any

import pytest

from registry.request_features import asked_of
from serving.journal.kept_params import without_text
from training.judging.baselines.llm_d_rules import bucket_of

TOOLS = [{"type": "function", "function": {"name": "zanzibar", "description": "zanzibar"}}]
CHOICE = {"type": "function", "function": {"name": "zanzibar"}}
THINKING = {"type": "enabled", "budget_tokens": 4096}
SWITCH = {"enable_thinking": False}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "zanzibar", "schema": {"zanzibar": {}}}}


@pytest.mark.parametrize(
    ("params", "kept"),
    [
        ({"max_tokens": 5, "continue_final_message": True}, {"max_tokens": 5, "continue_final_message": True}),
        ({"tools": TOOLS, "tool_choice": "auto"}, {"tools": [51], "tool_choice": "auto"}),
        ({"tool_choice": CHOICE}, {"tool_choice": {"type": "function"}}),
        ({"tool_choice": "zanzibar"}, {"tool_choice": 8}),
        ({"reasoning": {"effort": "high", "zanzibar": 1}}, {"reasoning": {"effort": "high"}}),
        ({"thinking": THINKING}, {"thinking": THINKING}),
        ({"chat_template_kwargs": SWITCH | {"zanzibar": "x"}}, {"chat_template_kwargs": SWITCH}),
        ({"response_format": SCHEMA}, {"response_format": {"type": "json_schema", "json_schema": 26}}),
        ({"response_format": {"type": "zanzibar"}}, {"response_format": {"type": 8}}),
        ({"stop": ["zanzibar", "x"]}, {"stop": [8, 1]}),
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
    assert bucket_of(asked_of(without_text(params))) == bucket_of(asked_of(params))


@pytest.mark.parametrize(
    "params",
    [
        {"tools": TOOLS * 3, "tool_choice": CHOICE, "temperature": 0.2, "n": 2},
        {"response_format": SCHEMA, "reasoning_effort": "high", "verbosity": "low"},
        {"text": {"format": {"type": "json_schema", "schema": SCHEMA}, "verbosity": "high"}, "max_output_tokens": 9},
        {"thinking": THINKING, "chat_template_kwargs": SWITCH},
        {"guided_choice": ["yes", "no"], "guided_json": {"zanzibar": {"type": "object"}}},
        {"structured_outputs": {"json": {"zanzibar": ["x", "y"]}}, "reasoning": {"enabled": True}},
    ],
)
def test_a_ranker_reads_of_what_is_kept_what_it_reads_of_the_request(params: dict[str, Any]) -> None:
    assert asked_of(without_text(params)) == asked_of(params) != asked_of({})
