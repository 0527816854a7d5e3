"""`traffic/length_log.py`: what a log may hold, and what becomes of it."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import InvalidInput
from tests.traffic.logs import GOOD, Rows, labels, read
from traffic.labelled_prompts import LabelledPrompts, require_two_lengths


@pytest.mark.parametrize("name", ["log.parquet", "log.jsonl"])
def test_both_formats_give_the_same_log(tmp_path: Path, name: str) -> None:
    log = read(tmp_path / name, GOOD)
    assert labels(log) == {row["prompt"]: row["output_tokens"] for row in GOOD}
    assert log.digest == read(tmp_path / "other.jsonl", GOOD).digest


def test_digest_and_order_do_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    log, reverse = read(tmp_path / "a.jsonl", GOOD), read(tmp_path / "b.jsonl", GOOD[::-1])
    assert (log.prompts, log.splits, log.digest) == (reverse.prompts, reverse.splits, reverse.digest)


def test_digest_tells_another_length(tmp_path: Path) -> None:
    changed = [*GOOD[:-1], {**GOOD[-1], "output_tokens": 99}]
    assert read(tmp_path / "a.jsonl", GOOD).digest != read(tmp_path / "b.jsonl", changed).digest


def test_columns_are_selectable_and_empty_answers_are_left_out_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [{"question": f"q{number}", "text-davinci-003": number % 4} for number in range(8)]
    with caplog.at_level(logging.INFO):
        log = read(tmp_path / "log.parquet", rows, prompt_column="question", length_column="text-davinci-003")
    assert (log.counts.rows, log.counts.labelled, log.counts.empty_answers) == (8, 6, 2)
    assert "2 empty answers" in caplog.text


@pytest.mark.parametrize("name", ["log.parquet", "log.jsonl"])
def test_null_lengths_are_left_out_and_counted(tmp_path: Path, name: str) -> None:
    log = read(tmp_path / name, [*GOOD, {"prompt": "unlabelled", "output_tokens": None}])
    assert log.counts.no_length == 1
    assert "unlabelled" not in log.prompts


def test_samples_of_a_prompt_become_their_median(tmp_path: Path) -> None:
    rows = [{"prompt": "twice", "output_tokens": tokens} for tokens in (10, 13)]
    rows += [{"prompt": "thrice", "output_tokens": tokens} for tokens in (1, 2, 90)]
    log = read(tmp_path / "log.jsonl", rows)
    assert labels(log) == {"twice": 11.5, "thrice": 2.0}
    assert (log.counts.labelled, log.counts.prompts) == (5, 2)


def test_tokens_of_prompts_are_those_that_the_log_has(tmp_path: Path) -> None:
    rows = [{"prompt": "twice", "output_tokens": 9, "prompt_tokens": tokens} for tokens in (3, 5)]
    rows += [{"prompt": "unknown", "output_tokens": 8}, {"prompt": "zero", "output_tokens": 7, "prompt_tokens": 0}]
    log = read(tmp_path / "log.jsonl", rows)
    assert dict(zip(log.prompts, log.prompt_tokens, strict=True)) == pytest.approx(
        {"twice": 4.0, "unknown": np.nan, "zero": np.nan}, nan_ok=True
    )
    assert log.take([list(log.prompts).index("twice")]).prompt_tokens.tolist() == [4.0]


def test_tokens_of_a_prompt_that_cannot_be_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="prompt_tokens"):
        read(tmp_path / "log.jsonl", [*GOOD, {"prompt": "bad", "output_tokens": 9, "prompt_tokens": -1}])


CUT: Rows = [
    {"prompt": "twice", "output_tokens": 8, "finish_reason": "length"},
    {"prompt": "twice", "output_tokens": 5, "finish_reason": "stop"},
    {"prompt": "thrice", "output_tokens": 8, "finish_reason": "length"},
    {"prompt": "thrice", "output_tokens": 4, "finish_reason": "stop"},
    {"prompt": "thrice", "output_tokens": 2, "finish_reason": "tool_calls"},
    {"prompt": "unknown", "output_tokens": 3, "finish_reason": None},
]


@pytest.mark.parametrize("name", ["log.parquet", "log.jsonl"])
def test_a_prompt_is_censored_if_a_cut_sample_could_move_its_median(tmp_path: Path, name: str) -> None:
    log = read(tmp_path / name, CUT)
    assert labels(log) == {"twice": 6.5, "thrice": 4.0, "unknown": 3.0}
    assert dict(zip(log.prompts, log.is_censored, strict=True)) == {"twice": True, "thrice": False, "unknown": False}
    assert log.counts.censored_prompts == 1


def test_parts_of_a_log_know_which_prompts_are_censored(tmp_path: Path) -> None:
    rows = [{**row, "prompt": f"{row['prompt']} {number}"} for number in range(40) for row in CUT]
    part = read(tmp_path / "log.jsonl", rows).part("train", 50)
    for some in (part, part.first(7), part.take([3, 1])):
        assert some.is_censored.tolist() == [prompt.startswith("twice") for prompt in some.prompts]
    assert part.take([3, 1]).prompts == (part.prompts[3], part.prompts[1])


def test_parts_of_a_log_know_how_often_prompts_came_and_their_groups(tmp_path: Path) -> None:
    rows = [{"prompt": f"{number % 40}", "output_tokens": 5 + number % 9, "task": number % 7} for number in range(60)]
    log = read(tmp_path / "log.jsonl", rows, group_column="task")
    part = log.part(None, 30, seed=3)
    for some in (part, part.first(7), part.take([3, 1])):
        assert some.occurrences.tolist() == [2 if int(prompt) < 20 else 1 for prompt in some.prompts]
        groups = dict(zip(log.prompts, log.groups, strict=True))
        assert list(some.groups) == [groups[prompt] for prompt in some.prompts]
    ungrouped = read(tmp_path / "log.jsonl", rows).part("train")
    assert ungrouped.groups is ungrouped.prompts


def test_digest_tells_a_censored_label(tmp_path: Path) -> None:
    ended = [{**row, "finish_reason": "stop"} for row in CUT]
    assert read(tmp_path / "a.jsonl", CUT).digest != read(tmp_path / "b.jsonl", ended).digest


def test_a_split_needs_a_pair_whose_shorter_answer_ended() -> None:
    tokens = np.array([5.0, 9.0])
    can, cannot = (LabelledPrompts.of(("a", "b"), tokens, np.array(cut)) for cut in ([False, True], [True, False]))
    assert require_two_lengths(can, "test") is can
    with pytest.raises(InvalidInput, match="the shorter one not cut, but has 2 prompts, 1 of them cut"):
        require_two_lengths(cannot, "test")


@pytest.mark.parametrize("name", ["log.parquet", "log.jsonl"])
def test_chat_messages_are_rendered(tmp_path: Path, name: str) -> None:
    chat = [{"role": "user", "content": "prompt 0"}]
    rows: Rows = [{"messages": chat, "output_tokens": 3}]
    rows.append({"messages": [{"role": "system", "content": "Be brief."}, *chat], "output_tokens": 4})
    assert labels(read(tmp_path / name, rows)) == {"prompt 0": 3.0, "system: Be brief.\n\nuser: prompt 0": 4.0}


def test_a_log_may_mix_prompts_and_messages(tmp_path: Path) -> None:
    rows = [*GOOD, {"messages": [{"role": "user", "content": "chat"}], "output_tokens": 7}]
    assert labels(read(tmp_path / "log.jsonl", rows))["chat"] == 7.0


@pytest.mark.parametrize(
    "text",
    [None, "", "  \n", [], [{"role": "user", "content": ""}], [{"role": "user", "content": [{"type": "image_url"}]}]],
)
def test_a_row_without_text_is_left_out_and_counted(tmp_path: Path, text: Any) -> None:
    log = read(tmp_path / "log.jsonl", [*GOOD, {"prompt": text, "output_tokens": 3}])
    assert (log.counts.no_text, log.counts.prompts) == (1, len(GOOD))


def test_any_script_and_a_megabyte_are_fine(tmp_path: Path) -> None:
    texts = ["🦉🦉", "שלום עולם", "مرحبا \u202e abc", "word " * 200_000]
    rows = [{"prompt": text, "output_tokens": index + 1} for index, text in enumerate(texts)]
    assert set(read(tmp_path / "log.jsonl", rows).prompts) == set(texts)


def test_whole_lengths_may_be_stored_as_floats(tmp_path: Path) -> None:
    # What a null in a column of numbers turns its neighbours into.
    log = read(tmp_path / "log.parquet", [*GOOD, {"prompt": "null", "output_tokens": np.nan}])
    assert labels(log)["prompt 0"] == 1.0


def test_several_models_must_be_chosen_from(tmp_path: Path) -> None:
    rows = [
        {**row, "model": model, "output_tokens": row["output_tokens"] + shift}
        for row in GOOD
        for model, shift in MODELS
    ]
    with pytest.raises(InvalidInput, match=r"llama, qwen; give model=NAME"):
        read(tmp_path / "log.jsonl", rows)
    with pytest.raises(InvalidInput, match=r"no row is of model 'gpt'; the log holds llama, qwen"):
        read(tmp_path / "log.jsonl", rows, model="gpt")
    log = read(tmp_path / "log.jsonl", rows, model="qwen")
    assert (log.counts.rows, labels(log)["prompt 0"]) == (5, 101.0)


MODELS = [("llama", 0), ("qwen", 100)]


def test_one_model_needs_no_choice_and_no_column_allows_none(tmp_path: Path) -> None:
    one = [{**row, "model": "llama"} for row in GOOD]
    assert read(tmp_path / "one.jsonl", one).counts.rows == 5
    with pytest.raises(InvalidInput, match="column 'model'"):
        read(tmp_path / "none.jsonl", GOOD, model="llama")


def test_a_group_is_never_torn_apart(tmp_path: Path) -> None:
    rows = [{"prompt": f"p{number}", "output_tokens": number + 1, "task": f"t{number % 20}"} for number in range(400)]
    log = read(tmp_path / "log.jsonl", rows, group_column="task")
    splits_of_task: dict[int, set[str]] = {}
    for prompt, split in zip(log.prompts, log.splits, strict=True):
        splits_of_task.setdefault(int(prompt[1:]) % 20, set()).add(split)
    assert all(len(splits) == 1 for splits in splits_of_task.values())


def test_max_prompts_draws_by_seed_within_the_split(tmp_path: Path) -> None:
    log = read(tmp_path / "log.jsonl", [{"prompt": f"p{n}", "output_tokens": n + 1} for n in range(200)])
    everything, few, others = log.part("train"), log.part("train", 20), log.part("train", 20, seed=1)
    assert few.prompts == everything.prompts[:20]
    assert set(few.prompts) != set(others.prompts)
    assert set(others.prompts) <= set(everything.prompts)
    assert not set(everything.prompts) & set(log.part("test").prompts)


def test_a_split_that_is_too_small_says_how_large_a_log_must_be(tmp_path: Path) -> None:
    log = read(tmp_path / "log.jsonl", GOOD)
    with pytest.raises(InvalidInput, match=r"the validation part .* give some hundred prompts"):
        require_two_lengths(log.part("validation", 1), "validation")


@given(st.lists(st.tuples(st.text(), st.none() | st.integers(0, 500)), min_size=1, max_size=30))
def test_every_row_is_counted_once(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, int | None]]
) -> None:
    rows: Rows = [{"prompt": prompt, "output_tokens": tokens} for prompt, tokens in cells]
    log = read(tmp_path_factory.mktemp("log") / "log.jsonl", [*GOOD, *rows])
    counts = log.counts
    assert counts.rows == len(rows) + len(GOOD)
    assert counts.rows == counts.labelled + counts.no_length + counts.empty_answers + counts.no_text
    assert len(log.prompts) == counts.prompts <= counts.labelled
