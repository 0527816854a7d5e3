"""The tools of a request in few words."""

from typing import Any

import pytest

from registry.window.tool_text import MOST_CHARACTERS, tool_text

SCHEMA = {"type": "object", "properties": {"query": {"type": "string"}, "limit": {"type": "integer"}}}
SEARCH = {"name": "search", "description": "Search the web."}
TEXT = "tools: search(query, limit): Search the web."


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "function", "function": {**SEARCH, "parameters": SCHEMA}},
        {"type": "function", **SEARCH, "parameters": SCHEMA},
        {**SEARCH, "input_schema": SCHEMA},
    ],
)
def test_the_tools_of_each_api_are_the_same_text(tool: dict[str, Any]) -> None:
    assert tool_text([tool]) == TEXT
    assert tool_text([tool, {"type": "web_search"}]) == f"{TEXT}\nweb_search(): "


@pytest.mark.parametrize(
    "tools",
    [
        None,
        3,
        "search",
        {},
        [],
        [3],
        ["search"],
        [{}],
        [{"function": 3}],
        [{"name": 3}],
        [{"function": {"name": None}}],
    ],
)
def test_what_is_no_list_of_tools_is_no_text(tools: object) -> None:
    assert tool_text(tools) == ""


@pytest.mark.parametrize(
    "odd",
    [
        {"parameters": 3},
        {"parameters": {"properties": [1]}},
        {"description": ["x"]},
        {"parameters": {"properties": {}}},
    ],
)
def test_an_odd_field_costs_no_more_than_itself(odd: dict[str, Any]) -> None:
    assert tool_text([{"name": "search", **odd}]) == "tools: search(): "


def test_however_many_tools_there_are_the_text_is_bounded() -> None:
    tool = {"name": "n" * 999, "description": "d" * 99_999, "parameters": {"properties": dict.fromkeys(range(9999))}}
    assert len(tool_text([tool] * 9999)) == MOST_CHARACTERS
