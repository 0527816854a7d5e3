"""Which prompts the instant network learns from beside the training prompts."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from registry.errors import InvalidInput
from registry.request_features import RequestView, view_of
from traffic.length_log import read_length_log
from traffic.split import split_of
from training.config import TrainingConfig
from training.distilling.unlabelled import unlabelled_prompts


def write(path: Path, rows: Iterable[Mapping[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def labelled(count: int = 200, **columns: object) -> list[dict[str, object]]:
    return [{"prompt": f"labelled {i}", "output_tokens": 1 + i, **columns} for i in range(count)]


def without_length(count: int = 200) -> list[dict[str, object]]:
    return [{"prompt": f"unlabelled {i}", "output_tokens": None} for i in range(count)]


def views_learnt(log: Path, **settings: object) -> list[RequestView]:
    config = TrainingConfig(**{"lengths": log, "target_llm": "llm", **settings})  # type: ignore[arg-type]
    return unlabelled_prompts(config, read_length_log(config))


def learnt(log: Path, **settings: object) -> list[str]:
    return [view.text for view in views_learnt(log, **settings)]


def test_rows_without_a_length_and_beyond_max_prompts_are_learnt_from(tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", [*labelled(), *without_length()])
    train = {f"labelled {i}" for i in range(200) if split_of(f"labelled {i}") == "train"}
    unlabelled = {f"unlabelled {i}" for i in range(200) if split_of(f"unlabelled {i}") == "train"}
    assert set(learnt(log)) == unlabelled
    more = learnt(log, max_prompts=50)
    assert len(more) == len(set(more)) == len(train) - 50 + len(unlabelled)
    assert set(more) < train | unlabelled


def test_no_prompt_of_validation_or_test_is_learnt_from_whichever_log_it_stands_in(tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", [*labelled(), *without_length()])
    other = write(
        tmp_path / "other.jsonl", [{"prompt": row["prompt"]} for row in (*labelled(400), *without_length(400))]
    )
    prompts = learnt(log, unlabelled=other)
    assert {split_of(prompt) for prompt in prompts} == {"train"}
    assert sum(prompt.startswith("labelled") for prompt in prompts) > 100, "those that only the other log has"
    assert not set(prompts) & set(read_length_log(TrainingConfig(lengths=log, target_llm="llm")).prompts)


def test_a_group_of_validation_or_test_is_left_out_with_all_its_prompts(tmp_path: Path) -> None:
    rows = [row | {"task": f"task {i % 40}"} for i, row in enumerate([*labelled(), *without_length()])]
    log = write(tmp_path / "log.jsonl", rows)
    other = write(tmp_path / "other.jsonl", ({"prompt": row["prompt"]} for row in rows))  # which knows no tasks
    task_of = {row["prompt"]: str(row["task"]) for row in rows}
    prompts = learnt(log, group_column="task")
    assert {split_of(task_of[prompt]) for prompt in prompts} == {"train"}
    assert {task_of[prompt] for prompt in prompts} == {task for task in task_of.values() if split_of(task) == "train"}
    for prompt in learnt(log, group_column="task", unlabelled=other, max_prompts=50):
        assert not (prompt.startswith("labelled") and split_of(task_of[prompt]) != "train")


def test_they_are_read_with_what_is_asked_for_beside_them(tmp_path: Path) -> None:
    rows = [row | {"max_tokens": 5 + i} for i, row in enumerate([*labelled(), *without_length()])]
    log = write(tmp_path / "log.jsonl", [*rows, {"prompt": "unlabelled bare", "output_tokens": None}])
    asked = {row["prompt"]: row.get("max_tokens") for row in rows}
    views = views_learnt(log, max_prompts=50)
    expected = [view_of(view.text, {"max_tokens": cap} if (cap := asked.get(view.text)) else {}) for view in views]
    assert views == expected and len(views) > 200
    other = write(tmp_path / "other.jsonl", [{"prompt": f"other {i}", "max_tokens": 9} for i in range(50)])
    views = views_learnt(write(tmp_path / "plain.jsonl", labelled()), unlabelled=other)
    assert views == [view_of(view.text, {"max_tokens": 9}) for view in views] != []


def test_lengths_of_the_other_log_are_not_looked_at(tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", labelled())
    rows = [{"prompt": f"other {i}", "output_tokens": "not a number"} for i in range(100)]
    assert len(learnt(log, unlabelled=write(tmp_path / "other.jsonl", rows))) > 50


def test_a_log_without_prompts_is_refused(tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", labelled())
    with pytest.raises(InvalidInput, match="must have the column 'prompt'"):
        learnt(log, unlabelled=write(tmp_path / "other.jsonl", [{"text": "a"}]))


def test_of_too_many_the_seed_draws(tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", [*labelled(), *without_length()])
    every = learnt(log)
    some = learnt(log, unlabelled_prompts=20)
    assert len(some) == 20
    assert set(some) < set(every)
    assert learnt(log, unlabelled_prompts=20, seed=1) != some
    assert learnt(log, unlabelled_prompts=0) == []
    assert learnt(log, distil_epochs=0) == []
