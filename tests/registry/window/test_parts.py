"""The parts of a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.request import render_messages
from registry.window.parts import Parts, parts_of

ROLES = ("system", "developer", "user", "assistant", "tool", "function", "narrator")
TURNS = st.lists(st.tuples(st.sampled_from(ROLES), st.sampled_from(["Hi", "a\n\nuser: b", "é" * 9, "assistant: x"])))


def chat(*turns: tuple[str, str]) -> str:
    return render_messages([{"role": role, "content": text} for role, text in turns])


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Hi", Parts(asked="Hi")),
        ("Translate:\n\nuser: hi", Parts(asked="Translate:\n\nuser: hi")),
        (chat(("system", "S"), ("user", "U")), Parts(system="system: S\n\n", asked="user: U")),
        (
            chat(("system", "S"), ("developer", "D"), ("user", "U")),
            Parts(system="system: S\n\ndeveloper: D\n\n", asked="user: U"),
        ),
        (
            chat(("user", "1"), ("assistant", "2"), ("user", "3")),
            Parts(before="user: 1\n\nassistant: 2\n\n", asked="user: 3"),
        ),
        (
            chat(("system", "S"), ("user", "1"), ("assistant", "2"), ("user", "3"), ("tool", "4"), ("tool", "5")),
            Parts(
                system="system: S\n\n",
                before="user: 1\n\nassistant: 2\n\n",
                asked="user: 3\n\n",
                after="tool: 4\n\ntool: 5",
            ),
        ),
        (chat(("user", "1"), ("system", "late")), Parts(asked="user: 1\n\n", after="system: late")),
        (chat(("system", "S"), ("tool", "T")), Parts(system="system: S\n\n", after="tool: T")),
        (chat(("system", "S")), Parts(system="system: S")),
        (chat(("tool", "T")), Parts(after="tool: T")),
        (
            chat(("system", "S"), ("narrator", "N"), ("user", "U")),
            Parts("", "system: S\n\nnarrator: N\n\n", "", "user: U"),
        ),
    ],
)
def test_a_chat_is_cut_at_its_roles(text: str, parts: Parts) -> None:
    assert parts_of(text) == parts


def test_tools_stand_beside_the_text() -> None:
    assert parts_of("Hi", "tools: search(): ") == Parts(tools="tools: search(): ", asked="Hi")


@given(TURNS)
def test_no_character_is_lost_or_moved(turns: list[tuple[str, str]]) -> None:
    if turns:
        text = chat(*turns)
        assert "".join(parts_of(text)) == text


@given(TURNS, st.sampled_from(["Hi", "What?\n\nWhy?"]))
def test_the_last_user_message_is_found_behind_any_turns(turns: list[tuple[str, str]], asked: str) -> None:
    assert parts_of(chat(("assistant", "x"), *turns, ("system", "x"), ("user", asked))).asked == f"user: {asked}"
