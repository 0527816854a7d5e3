"""`traffic/grouping.py`: what a ranker whose data was grouped otherwise was trained on tests nothing."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.traffic.logs import write
from traffic.grouping import unseen_part
from traffic.length_log import LengthLogSource, read_length_log
from traffic.split import split_of


@pytest.fixture
def source(tmp_path: Path) -> LengthLogSource:
    rows = [{"prompt": f"prompt {n}", "task": f"task {n % 300}", "output_tokens": n % 90 + 1} for n in range(3000)]
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return LengthLogSource(lengths=tmp_path / "log.jsonl", group_column="task")


def test_only_what_tests_under_both_groupings_is_tested(source: LengthLogSource) -> None:
    log = read_length_log(source)
    found = unseen_part(source, log, {"old": ("prompt",), "same": ("task",)})
    whole = log.part("test")
    seen = [prompt for prompt in whole.prompts if split_of(prompt) != "test"]
    assert 0.8 * len(whole) < len(seen) < len(whole)
    assert sorted(found.prompts.prompts) == sorted(set(whole.prompts) - set(seen))
    assert found.in_log == len(found.prompts)
    (note,) = found.notes
    assert "The data of old was grouped by 'prompt', and this log is grouped by 'task'" in note
    assert f"{len(seen)} of {len(whole)} prompts" in note
    assert "are left out" in note


def test_a_column_that_another_ranker_was_split_by_is_read_of_the_log(source: LengthLogSource) -> None:
    by_prompt = LengthLogSource(lengths=source.lengths)
    log = read_length_log(by_prompt)
    found = unseen_part(by_prompt, log, {"old": ("task",)})
    tasks = dict(zip((by_task := read_length_log(source)).prompts, by_task.groups, strict=True))
    expected = [one for one in log.part("test").prompts if split_of(tasks[one]) == "test"]
    assert list(found.prompts.prompts) == expected
    assert expected


def test_all_of_a_log_is_tested_all_the_same_and_said(source: LengthLogSource) -> None:
    log = read_length_log(source)
    found = unseen_part(source, log, {"old": ("prompt",)}, split=None)
    assert len(found.prompts) == len(log)
    assert "tested all the same" in found.notes[0]


@pytest.mark.parametrize(
    ("grouping", "told"),
    [(None, "in a way that no card tells"), ("template", "by 'template', which this log does not")],
)
def test_what_cannot_be_known_is_said_and_leaves_nothing_out(
    source: LengthLogSource, grouping: str | None, told: str
) -> None:
    log = read_length_log(source)
    found = unseen_part(source, log, {"old": (grouping,)})
    assert len(found.prompts) == len(log.part("test"))
    assert told in found.notes[0]


def test_a_ranker_of_the_same_grouping_needs_no_word(source: LengthLogSource) -> None:
    assert unseen_part(source, read_length_log(source), {"ranker": ("task",), "baseline": ()}).notes == ()


def with_sessions(path: Path, is_said: bool) -> LengthLogSource:
    rows = [{"prompt": f"prompt {n}", "output_tokens": n % 90 + 1, "session": f"s{n % 300}"} for n in range(3000)]
    if not is_said:
        rows = [row | {"session": None} for row in rows]
    path.write_text("\n".join(map(json.dumps, rows)))
    return LengthLogSource(lengths=path)


def test_sessions_are_groups_unless_another_column_is(tmp_path: Path) -> None:
    source = with_sessions(tmp_path / "log.jsonl", is_said=True)
    log = read_length_log(source)
    assert log.grouped_by == "session"
    splits = {(group, split) for group, split in zip(log.groups, log.splits, strict=True)}
    assert len(splits) == 300, "each session is in one split"
    assert read_length_log(replace(source, group_column="output_tokens")).grouped_by == "output_tokens"


@pytest.mark.parametrize("sessions", [1, 2])
def test_sessions_that_are_too_few_to_be_split_are_no_groups(tmp_path: Path, sessions: int) -> None:
    rows = [{"prompt": f"prompt {n}", "output_tokens": n + 1, "session": f"s{n % sessions}"} for n in range(300)]
    source = LengthLogSource(lengths=write(tmp_path / "log.jsonl", rows))
    log = read_length_log(source)
    assert (log.grouped_by, {*log.splits}) == ("prompt", {"train", "validation", "test"})
    assert any("sessions are too few to be split" in note for note in log.notes)
    assert read_length_log(replace(source, group_column="session")).grouped_by == "session"


def test_a_log_whose_sessions_are_empty_is_grouped_by_prompt(tmp_path: Path) -> None:
    source = with_sessions(tmp_path / "log.jsonl", is_said=False)
    log = read_length_log(source)
    assert log.grouped_by == "prompt" and log.groups is log.prompts
    assert unseen_part(source, log, {"old": ("prompt",)}).notes == ()
    (note,) = unseen_part(source, log, {"other": ("session",)}).notes
    assert "by 'session', which this log does not have" in note


def test_a_ranker_of_before_sessions_counted_tests_what_it_was_not_trained_on(tmp_path: Path) -> None:
    source = with_sessions(tmp_path / "log.jsonl", is_said=True)
    log = read_length_log(source)
    found = unseen_part(source, log, {"old": ("prompt",)})
    assert list(found.prompts.prompts) == [one for one in log.part("test").prompts if split_of(one) == "test"]
    assert 0 < len(found.prompts) < log.size("test")
