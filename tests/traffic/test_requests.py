"""A label is that of a request: a text and what is asked for beside it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from registry.request_features import FEATURES, view_of
from traffic.length_log import LengthLog, LengthLogSource, read_length_log

TOOLS = [{"type": "function", "function": {"name": "look_up", "description": "Finds things."}}]
PLAIN = [{"prompt": f"question {i % 40}", "output_tokens": 1 + i} for i in range(80)]
DIGEST_OF_PLAIN = "d4f0214973b510f2d94703dfcf673cb0"


def read(path: Path, rows: list[dict[str, Any]], **settings: Any) -> LengthLog:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_length_log(LengthLogSource(lengths=path, **settings))


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_the_same_text_asked_for_otherwise_is_another_request_of_the_same_split(tmp_path: Path, suffix: str) -> None:
    asked = [{"max_tokens": 10}, {"max_tokens": 10, "reasoning_effort": "high"}, {"tools": TOOLS}, {}]
    rows = [row | {"params": json.dumps(one)} for row in PLAIN for one in asked]
    log = read(tmp_path / f"log.{suffix}", rows)
    assert len(log) == 160 and log.counts.prompts == 160
    split_of_text = dict(zip(log.prompts, log.splits, strict=True))
    assert all(split_of_text[text] == split for text, split in zip(log.prompts, log.splits, strict=True))
    assert {*log.views} == {view_of(row["prompt"], one) for row in PLAIN for one in asked}
    assert log.occurrences.tolist() == [2] * 160
    test = log.part("test")
    assert test.features.shape == (len(test), len(FEATURES)) and test.features.dtype == np.float32
    np.testing.assert_array_equal(test.features, [view.vector for view in test.views])


def test_wherever_a_log_has_them_parameters_are_the_same(tmp_path: Path) -> None:
    params = {"max_tokens": 10, "tools": TOOLS, "chat_template_kwargs": {"enable_thinking": True}}
    together = read(tmp_path / "a.jsonl", [row | {"params": params} for row in PLAIN])
    as_text = read(tmp_path / "b.parquet", [row | {"params": json.dumps(params)} for row in PLAIN])
    apart = read(tmp_path / "c.jsonl", [row | params for row in PLAIN])
    in_text = {name: json.dumps(value) for name, value in params.items()}
    apart_as_text = read(tmp_path / "d.parquet", [row | in_text for row in PLAIN])
    body = [{"custom_id": str(i), "body": {"prompt": row["prompt"], **params}} for i, row in enumerate(PLAIN)]
    assert together.views == as_text.views == apart.views == apart_as_text.views
    assert together.digest == as_text.digest == apart.digest == apart_as_text.digest
    assert set(together.views) == {view_of(one["body"]["prompt"], params) for one in body}


def test_a_log_that_asks_for_nothing_has_the_labels_that_it_always_had(tmp_path: Path) -> None:
    plain = read(tmp_path / "log.jsonl", PLAIN)
    assert plain.digest == DIGEST_OF_PLAIN, "as before requests were more than their texts"
    assert plain.asked is None
    assert plain.views == [view_of(prompt) for prompt in plain.prompts]
    for number, others in enumerate([{"params": "{}"}, {"n": 3, "text": "x"}, {"params": None}, {"top_p": 0.1}]):
        other = read(tmp_path / f"{number}.jsonl", [row | others for row in PLAIN])
        assert other.digest == plain.digest and other.splits == plain.splits and other.asked is None


def test_in_a_log_of_parameters_a_row_without_any_asks_for_nothing(tmp_path: Path) -> None:
    log = read(tmp_path / "log.jsonl", [*PLAIN, {"prompt": "capped", "output_tokens": 3, "max_tokens": 3}])
    assert {*log.views} == {view_of("capped", {"max_tokens": 3}), *(view_of(row["prompt"], {}) for row in PLAIN)}
