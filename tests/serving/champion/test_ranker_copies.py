"""The last ranker that was served here, on disk."""

import logging
from pathlib import Path

import pytest

from registry.card import CARD_FILE
from registry.ranker import ONNX_FILE, Ranker
from serving.champion.ranker_copies import LAST, RankerCopies
from tests.rankers import write_ranker


@pytest.fixture
def cache(tmp_path: Path) -> RankerCopies:
    return RankerCopies(tmp_path / "state" / "rankers")


def test_nothing_is_found_before_something_is_kept(cache: RankerCopies) -> None:
    assert cache.find("demo-llm") is None


def test_last_one_of_each_target_is_found_and_is_whole(cache: RankerCopies, tmp_path: Path) -> None:
    for version, weight in ((1, 1.0), (2, -1.0)):
        cache.keep("demo-llm", version, write_ranker(tmp_path / str(version), weight=weight))
    cache.keep("org/other", 12, write_ranker(tmp_path / "other", "org/other"))
    found, other = cache.find("demo-llm"), cache.find("org/other")
    assert found is not None and other is not None
    assert (found[0], other[0]) == (2, 12)
    assert Ranker.load(found[1], "demo-llm").scorer.score("one two") == -2
    assert Ranker.load(other[1], "org/other").scorer.score("one two") == 2
    names = {path.name for path in (cache.folder / "pars-demo-llm").iterdir()}
    assert names == {LAST, found[1].name}, "the one before is gone"


def test_copy_that_breaks_off_leaves_the_one_before(cache: RankerCopies, tmp_path: Path) -> None:
    cache.keep("demo-llm", 1, write_ranker(tmp_path / "1"))
    broken = write_ranker(tmp_path / "2")
    (broken / CARD_FILE).unlink()
    cache.keep("demo-llm", 2, broken)
    found = cache.find("demo-llm")
    assert found is not None
    assert found[0] == 1
    Ranker.load(found[1], "demo-llm")


def test_only_a_rankers_own_files_are_copied(cache: RankerCopies, tmp_path: Path) -> None:
    ranker = write_ranker(tmp_path / "1")
    (ranker / "model.pkl").write_bytes(b"planted")
    cache.keep("demo-llm", 1, ranker)
    found = cache.find("demo-llm")
    assert found is not None
    assert "model.pkl" not in {path.name for path in found[1].iterdir()}


def test_disk_that_cannot_be_written_is_logged_and_nothing_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = RankerCopies(tmp_path / "file" / "rankers")
    with caplog.at_level(logging.WARNING):
        cache.keep("demo-llm", 1, write_ranker(tmp_path / "1"))
    assert "The ranker is not cached" in caplog.text
    assert cache.find("demo-llm") is None


@pytest.mark.parametrize("content", ["", "no version", "7", "-3"])
def test_pointer_that_leads_nowhere_is_no_ranker_that_loads(cache: RankerCopies, tmp_path: Path, content: str) -> None:
    cache.keep("demo-llm", 1, write_ranker(tmp_path / "1"))
    (cache.folder / "pars-demo-llm" / LAST).write_text(content)
    found = cache.find("demo-llm")
    assert found is None or not (found[1] / ONNX_FILE).exists()
