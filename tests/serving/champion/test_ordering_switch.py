"""Ordering is switched by a tag and by a file."""

import logging
import os
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from serving.champion.ordering_switch import OrderingSwitch, look_at_file
from serving.threads import TimedCalls

TARGETS = ("switch-a", "switch-b")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ordering"


@pytest.fixture
def switch(file: Path) -> OrderingSwitch:
    return OrderingSwitch(TARGETS, file)


def states(switch: OrderingSwitch) -> list[bool]:
    """Of the two targets, and of a model without a ranker."""
    return [switch.is_on(one) for one in (*TARGETS, None)]


def switches(target_llm: str, by: str) -> float:
    labels = {"target_llm": target_llm, "by": by}
    return REGISTRY.get_sample_value("pars_ordering_switches_total", labels) or 0.0


def test_tag_switches_its_own_target_and_is_counted_and_said(
    switch: OrderingSwitch, caplog: pytest.LogCaptureFixture
) -> None:
    before = switches("switch-a", "tag")
    with caplog.at_level(logging.INFO):
        for word in (None, "off", "off", "on", None):
            switch.hear_tag("switch-a", word)
            assert states(switch) == [word != "off", True, True]
            assert REGISTRY.get_sample_value("pars_ordering_on", {"target_llm": "switch-a"}) == (word != "off")
    assert switches("switch-a", "tag") == before + 2
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "Ordering of switch-a is switched off by the tag `ordering` of pars-switch-a.",
        "Ordering of switch-a is switched on by the tag `ordering` of pars-switch-a.",
    ]


async def test_file_switches_all_targets_at_once(switch: OrderingSwitch, file: Path) -> None:
    before, calls = switches("switch-b", "file"), TimedCalls("test")
    await look_at_file(file, switch, calls)
    assert states(switch) == [True, True, True]
    for content, is_on in (("off\n", False), (" OFF ", False), ("on\n", True), ("off", False)):
        file.write_text(content)
        await look_at_file(file, switch, calls)
        assert states(switch) == [is_on] * 3
    file.unlink()
    await look_at_file(file, switch, calls)
    assert states(switch) == [True, True, True]
    assert switches("switch-b", "file") == before + 4


async def test_off_counts_wherever_it_is_said(switch: OrderingSwitch, file: Path) -> None:
    before = switches("switch-a", "file")
    switch.hear_tag("switch-a", "off")
    file.write_text("on")
    await look_at_file(file, switch, TimedCalls("test"))
    assert states(switch) == [False, True, True]
    file.write_text("off")
    await look_at_file(file, switch, TimedCalls("test"))
    switch.hear_tag("switch-a", None)
    assert states(switch) == [False, False, False]
    assert switches("switch-a", "file") == before, "it was off already"


@pytest.mark.parametrize("held", ["off", "on"])
async def test_wrong_word_is_said_once_and_leaves_it_as_it_is(
    switch: OrderingSwitch, file: Path, caplog: pytest.LogCaptureFixture, held: str
) -> None:
    file.write_text(held)
    calls = TimedCalls("test")
    await look_at_file(file, switch, calls)
    switch.hear_tag("switch-a", held)
    for content in (b"of", b"of", b"\xff\xfe", b"", b"off " * 1000):
        file.write_bytes(content)
        await look_at_file(file, switch, calls)
        switch.hear_tag("switch-a", "perhaps")
        assert states(switch) == [held == "on"] * 3
    assert caplog.text.count("must say on or off, but says 'perhaps'") == 1
    assert caplog.text.count("must say on or off, but says 'of'") == 1
    assert f"ordering stays {held}." in caplog.text


async def test_file_that_cannot_be_read_leaves_it_as_it_is(switch: OrderingSwitch, file: Path) -> None:
    file.write_text("off")
    calls = TimedCalls("test")
    await look_at_file(file, switch, calls)
    file.unlink()
    file.mkdir()
    await look_at_file(file, switch, calls)
    assert states(switch) == [False, False, False]


async def test_file_that_hangs_holds_nothing_up(
    switch: OrderingSwitch, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(file)  # opening it waits for somebody who writes
    monkeypatch.setattr("serving.champion.ordering_switch.READ_LIMIT_S", 0.05)
    await look_at_file(file, switch, TimedCalls("test"))
    assert states(switch) == [True, True, True]
    file.open("wb").close()
