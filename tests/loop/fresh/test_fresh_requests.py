"""`loop/fresh/`: the newest answers of a journal or a log, whatever order they stand in."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loop.fresh.config import FreshSource
from loop.fresh.fresh_requests import FreshRequests, read_fresh
from registry.errors import InvalidInput
from registry.request_features import view_of

DAY_S = 86_400.0
START_S = 1_790_000_000.0


def row(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "request_id": f"r{number}",
        "arrival_s": START_S + number * DAY_S / 10,
        "model": "llm",
        "prompt": f"prompt {number}",
        "output_tokens": 10 + number,
        "ending": "ended",
        **changes,
    }


def read(tmp_path: Path, rows: list[dict[str, Any]], needs_texts: bool = True, **changes: Any) -> FreshRequests:
    path = tmp_path / "journal.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    return read_fresh(FreshSource(target_llm="llm", **({"log": path} | changes)), needs_texts)


def test_the_newest_of_the_newest_days_are_taken_in_the_order_of_their_arrival(tmp_path: Path) -> None:
    rows = [row(number) for number in np.random.default_rng(0).permutation(100).tolist()]
    fresh = read(tmp_path, rows, days=3)
    assert fresh.output_tokens.tolist() == [10 + number for number in range(69, 100)]
    assert read(tmp_path, rows, max_requests=5).output_tokens.tolist() == [105, 106, 107, 108, 109]
    before, later = fresh.split_at(START_S + 9.05 * DAY_S)
    assert (len(before), len(later)) == (22, 9)
    assert later.views is not None
    assert later.views[0].text == "prompt 91"
    assert fresh.since(START_S + 9.05 * DAY_S).groups == later.groups


@pytest.mark.parametrize(
    ("days_between", "said"), [(1.5, "of 3.0 days"), (0.25, "of 12.0 hours"), (1 / 1440, "of 2.0 minutes")]
)
def test_how_long_the_answers_came_is_said_in_a_unit_that_fits(tmp_path: Path, days_between: float, said: str) -> None:
    rows = [row(number, arrival_s=START_S + number * days_between * DAY_S) for number in range(3)]
    assert read(tmp_path, rows).where.endswith(said)


def test_what_the_server_had_said_is_known_and_what_it_had_not_is_not(tmp_path: Path) -> None:
    placed = {"predicted_tokens": 30.0, "correction": 2.0, "quantile": 0.5, "placed_by": "encoder"}
    fresh = read(tmp_path, [row(0, **placed, ranker_version="3", tenant="a", session="s"), row(1)])
    assert fresh.predicted_tokens[0] == 30
    assert (fresh.correction[0], fresh.quantile[0]) == (2, 0.5)
    assert (fresh.placed_by, fresh.ranker_version) == (["encoder", None], ["3", None])
    assert np.isnan(fresh.predicted_tokens[1])
    assert fresh.tenants == ["a", None]
    assert fresh.groups == ["s", "prompt 1"]


def test_a_cut_or_left_answer_is_censored_and_one_that_never_came_is_left_out(tmp_path: Path) -> None:
    endings = ["ended", "cut", "aborted", "aborted"]
    rows = [row(number, ending=ending) for number, ending in enumerate(endings)]
    rows[3]["output_tokens"] = None
    assert read(tmp_path, rows).is_censored.tolist() == [False, True, True]


def test_what_is_asked_for_beside_the_text_is_read_as_serving_reads_it(tmp_path: Path) -> None:
    fresh = read(tmp_path, [row(0, params=json.dumps({"max_tokens": 7})), row(1)])
    assert fresh.views == [view_of("prompt 0", {"max_tokens": 7}), view_of("prompt 1", {})]
    assert read(tmp_path, [row(0), row(1)]).views == [view_of("prompt 0"), view_of("prompt 1")]


def test_other_models_are_not_its_own_but_a_single_other_name_is(tmp_path: Path) -> None:
    rows = [row(number, model="llm" if number % 2 else "other") for number in range(10)]
    assert len(read(tmp_path, rows)) == 5
    alone = [row(number, model="azure/llm") for number in range(10)]
    assert len(read(tmp_path, alone)) == 10
    with pytest.raises(InvalidInput, match=r"no answered request of 'llm'.*: a, b\); give model=NAME"):
        read(tmp_path, [row(0, model="a"), row(1, model="b")])


def test_a_log_without_arrivals_ends_with_the_newest(tmp_path: Path) -> None:
    rows = [{name: value for name, value in row(number).items() if name != "arrival_s"} for number in range(10)]
    fresh = read(tmp_path, rows, max_requests=3)
    assert fresh.output_tokens.tolist() == [17, 18, 19]
    assert "the last 3 answers of the log" in fresh.where


def test_a_keyed_journal_has_no_texts_which_some_do_not_need(tmp_path: Path) -> None:
    rows = [row(number, prompt=None, prompt_key="k", predicted_tokens=20) for number in range(3)]
    with pytest.raises(InvalidInput, match="PARS_JOURNAL=text"):
        read(tmp_path, rows)
    fresh = read(tmp_path, rows, needs_texts=False)
    assert (len(fresh), fresh.views, len(set(fresh.groups))) == (3, None, 3)


def test_the_digest_is_of_what_was_read(tmp_path: Path) -> None:
    rows = [row(number) for number in range(5)]
    first = read(tmp_path, rows)
    assert read(tmp_path, rows[::-1]).digest == first.digest
    assert read(tmp_path, [*rows[:4], row(4, output_tokens=1)]).digest != first.digest


def test_what_cannot_be_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="give journal=FOLDER"):
        read_fresh(FreshSource(target_llm="llm"))
    with pytest.raises(InvalidInput, match="got both"):
        FreshSource(target_llm="llm", journal=tmp_path, log=tmp_path)
    with pytest.raises(InvalidInput, match=r"days must be above 0, but got 0\.0"):
        FreshSource(target_llm="llm", days=0.0)
    with pytest.raises(InvalidInput, match="max_requests must be at least 2, but got 1"):
        FreshSource(target_llm="llm", max_requests=1)
