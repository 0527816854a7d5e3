import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from registry.features.asked_features import ASKED_FEATURES, READERS
from registry.request_features import FEATURES, UNKNOWN, RequestView, as_view, asked_of, view_of
from registry.window.tool_text import tool_text

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
NAMES = [
    *("max_tokens", "max_completion_tokens", "max_output_tokens", "tools", "tool_choice", "response_format", "text"),
    *("reasoning", "reasoning_effort", "thinking", "chat_template_kwargs", "enable_thinking", "thinking_budget"),
    *("temperature", "n", "verbosity", "guided_json", "guided_choice", "structured_outputs", "continue_final_message"),
    *("output_config", "type", "effort", "budget_tokens", "mode", "json_schema", "schema", "json", "format", "enabled"),
]
ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=40)
    | st.binary(max_size=8)
    | st.decimals()
    | st.just(np.float32(3))
    | st.just(np.arange(3))
    | st.just(10**400)
    | st.just("9" * 10_000)
    | st.just(object()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), inner),
    max_leaves=12,
)


def asked(**params: Any) -> dict[str, float | None]:
    """The features that differ from those of a request that asks for nothing."""
    nothing = asked_of({})
    return {
        name: one for name, one, other in zip(ASKED_FEATURES, asked_of(params), nothing, strict=True) if one != other
    }


@given(st.dictionaries(st.sampled_from(NAMES), ODD) | ODD)
@settings(deadline=None, max_examples=300)
@example({"tools": [[[[]]]] * 3, "tool_choice": {"mode": np.arange(3)}})
@example({"response_format": {"type": ["json_schema"]}, "n": -1, "temperature": math.nan, "max_tokens": "-1"})
def test_whatever_stands_in_a_request_is_understood_or_missing(params: Any) -> None:
    view = view_of("Hi", params)
    assert len(view.features) == len(FEATURES)
    assert all(one is None or math.isfinite(one) for one in view.features)
    assert view == view_of("Hi", params) and hash(view) == hash(view_of("Hi", params))
    assert np.isfinite(view.vector).tolist() == [one is not None for one in view.features]


@given(st.text(st.characters(exclude_categories=()), max_size=3000))
@settings(deadline=None)
def test_any_text_has_features_of_its_own(text: str) -> None:
    tokens, turns, code = view_of(text).features[:3]
    assert tokens is not None and turns is not None and code is not None
    assert tokens >= 0 and turns >= 0 and 0 <= code <= 1


def test_of_a_text_alone_nobody_knows_what_is_asked_for() -> None:
    assert view_of("Hi").features[3:] == UNKNOWN == as_view("Hi").features[3:]
    assert view_of("Hi", {}).features[3:] == asked_of({}) != UNKNOWN
    assert as_view(view := view_of("Hi", {"n": 2})) is view


def test_the_same_is_called_many_names() -> None:
    for name in ("max_tokens", "max_completion_tokens", "max_output_tokens"):
        for value in (100, 100.0, "100", np.int64(100)):
            assert asked(**{name: value}) == {"log_max_tokens": pytest.approx(math.log(101))}
    switches: list[dict[str, Any]] = [
        {"chat_template_kwargs": {"enable_thinking": True}},
        {"chat_template_kwargs": {"thinking": True}},
        {"chat_template_kwargs": {"thinking": {"type": "enabled"}}},
        {"thinking": {"type": "enabled"}},
        {"thinking": {"type": "adaptive"}},
        {"enable_thinking": "true"},
        {"reasoning": {"enabled": True}},
    ]
    assert [asked(**one) for one in switches] == [{"thinking": 1.0}] * len(switches)
    assert asked(thinking={"type": "disabled"}) == {"thinking": 0.0}
    budget = {"thinking": 1.0, "log_thinking_budget": pytest.approx(math.log(4097))}
    assert asked(thinking={"type": "enabled", "budget_tokens": 4096}) == budget
    assert asked(chat_template_kwargs={"enable_thinking": True, "thinking_budget": 4096}) == budget
    assert asked(reasoning_effort="high") == asked(reasoning={"effort": "HIGH "}) == {"reasoning_effort": 4.0}
    assert asked(text={"verbosity": "low"}) == asked(verbosity="low") == {"verbosity": 2.0}


def test_effort_tool_choice_and_format_are_told_in_steps() -> None:
    efforts = [asked(reasoning_effort=one)["reasoning_effort"] for one in ("none", "minimal", "low", "medium", "high")]
    assert efforts == sorted({*efforts}, key=float)  # type: ignore[arg-type]
    choices = ["none", "auto", "required", {"type": "function", "function": {"name": "weather"}}]
    place = ASKED_FEATURES.index("tool_choice")
    named = [asked_of({"tools": [TOOL], "tool_choice": one})[place] for one in choices]
    assert named == [0.0, 1.0, 2.0, 3.0]
    assert asked(tools=[TOOL])["tool_choice"] == 1.0, "the default, where there are tools"
    formats = ["text", "json_object", "json_schema"]
    assert [asked(response_format={"type": one}).get("answer_format", 0.0) for one in formats] == [0.0, 1.0, 2.0]
    assert asked(guided_choice=["yes", "no"]) == {"answer_format": 3.0}


def test_schemas_count_by_their_size_and_a_huge_one_costs_no_more_than_a_large_one() -> None:
    one, many = asked(tools=[TOOL]), asked(tools=[TOOL] * 8)
    assert one["log_tools"] == pytest.approx(math.log(2)) and many["log_tools"] == pytest.approx(math.log(9))
    assert 0 < one["log_tool_characters"] < many["log_tool_characters"]  # type: ignore[operator]
    schema = {"type": "object", "properties": {"answer": {"type": "string", "description": "d" * 100}}}
    in_chat = asked(response_format={"type": "json_schema", "json_schema": schema})
    assert in_chat == asked(text={"format": {"type": "json_schema", "schema": schema}}) == asked(guided_json=schema)
    assert in_chat["log_schema_characters"] > math.log(100)  # type: ignore[operator]
    nested: Any = "end"
    for _ in range(100_000):
        nested = [nested]
    assert asked(tools=[{"a": 1}] * 10**6, guided_json=nested)["log_tools"] == pytest.approx(math.log(10**6 + 1))


def test_what_a_journal_keeps_instead_of_words_says_the_same_or_nothing() -> None:
    assert asked(tools=3)["log_tools"] == pytest.approx(math.log(4))
    assert asked(tools=3)["log_tool_characters"] is None
    assert asked(tool_choice=17) == {"tool_choice": None}
    schema = asked(response_format={"type": "json_schema", "json_schema": 345})
    assert schema == {"answer_format": 2.0, "log_schema_characters": pytest.approx(math.log(346))}


def test_the_text_tells_its_tokens_its_turns_and_its_code() -> None:
    features = {text: view_of(text).features for text in ("word " * 8, "word " * 80, "词" * 40, "x = f(y)[0];\n" * 9)}
    prose, long, chinese, code = features.values()
    assert prose[0] < long[0] and 0.5 < chinese[0] / math.log(40) < 1.5  # type: ignore[operator]
    assert prose[2] == 0 and code[2] > 0.2  # type: ignore[operator]
    assert prose[1] == view_of("system: Be brief.\n\nuser: Hi").features[1] == 0
    assert view_of("user: Hi\n\nassistant: Hello\n\nuser: How are you?").features[1] == pytest.approx(math.log(3))
    assert view_of("word " * 10**6).features[0] == pytest.approx(math.log(1.25 * 10**6), abs=0.01)


def test_tools_are_read_in_words_too() -> None:
    assert view_of("Hi", {"tools": [TOOL]}).tools == tool_text([TOOL]) != ""
    assert view_of("Hi", {"tools": 3}).tools == view_of("Hi").tools == ""


def test_a_feature_that_is_blanked_is_missing_and_nothing_else_changes() -> None:
    view = view_of("Hi", {"max_tokens": 5, "n": 2})
    assert view.without("log_max_tokens") == view_of("Hi", {"n": 2})
    assert view.without() == view and isinstance(view.without(), RequestView)


def test_a_view_is_the_same_whether_it_comes_from_a_request_or_from_numbers_in_32_bits() -> None:
    view = view_of("Hi", {"temperature": 0.1, "max_tokens": 77})
    assert tuple(None if math.isnan(one) else one for one in view.vector.tolist()) == view.features
    assert list(READERS) == list(ASKED_FEATURES) and len({*FEATURES}) == len(FEATURES)
