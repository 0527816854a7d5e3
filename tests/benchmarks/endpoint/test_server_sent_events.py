from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.endpoint.server_sent_events import EventDecoder


def decode(*chunks: bytes) -> list[str]:
    decoder = EventDecoder()
    events = [event for chunk in chunks for event in decoder.decode(chunk)]
    return events + list(decoder.decode(b"", is_last=True))


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        ("data: one\n\ndata: two\n\n", ["one", "two"]),
        ("data:one\n\n", ["one"]),
        ("data:  one\n\n", [" one"]),
        ("data: one\r\n\r\ndata: two\r\n\r\n", ["one", "two"]),
        ("data: one\r\rdata: two\r\r", ["one", "two"]),
        ("data: one\r\n\ndata: two\n\r\n", ["one", "two"]),
        ("\ufeffdata: one\n\n", ["one"]),
        ("data: {\ndata:  1}\n\n", ["{\n 1}"]),
        (": a comment\n\n:\n\ndata: one\n\n", ["one"]),
        ("event: delta\nid: 7\nretry: 10\ndata: one\n\n", ["one"]),
        ("data: one\nevent: delta\n\n", ["one"]),
        ("data\n\n", [""]),
        ("event: ping\n\n", []),
        ("database: one\n\n data: two\n\n", []),
        ("\n\n\ndata: one\n\n\n\n", ["one"]),
        ("data: one", ["one"]),
        ("data: one\n", ["one"]),
        ("data: one\u2028two\x85three\x0bfour\n\n", ["one\u2028two\x85three\x0bfour"]),
        ("data: a:b: c\n\n", ["a:b: c"]),
        ("", []),
    ],
)
def test_every_legal_form_is_read(stream: str, events: list[str]) -> None:
    assert decode(stream.encode()) == events
    assert decode(*(bytes([byte]) for byte in stream.encode())) == events, "cut after each byte"


LINES = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))


@given(
    events=st.lists(st.lists(LINES, min_size=1, max_size=3), max_size=4),
    newline=st.sampled_from(["\n", "\r", "\r\n"]),
    cuts=st.lists(st.integers(0, 200)),
)
def test_an_event_is_its_data_wherever_the_chunks_are_cut(
    events: list[list[str]], newline: str, cuts: list[int]
) -> None:
    stream = "".join("".join(f"data: {line}{newline}" for line in event) + newline for event in events).encode()
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    chunks = [stream[begin:end] for begin, end in pairwise(edges)]
    assert decode(*chunks) == ["\n".join(event) for event in events]


def test_an_event_is_given_as_soon_as_its_blank_line_is_there() -> None:
    decoder = EventDecoder()
    assert list(decoder.decode(b"data: one\n")) == []
    assert list(decoder.decode(b"\ndata: tw")) == ["one"]
    assert list(decoder.decode(b"o\n\n")) == ["two"]


def test_bytes_that_are_no_text_do_not_end_a_stream() -> None:
    assert decode(b"data: \xff\n\n") == ["\ufffd"]
