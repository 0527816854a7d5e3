"""The last ranker that was served here, on disk, and the downloads that become it."""

import logging
import shutil
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from registry.artefact.files import ONNX_FILE, RANKER_FILES
from registry.ranker import Ranker
from serving.champion.ranker_copies import LAST, LOCK, RankerCopies
from tests.rankers import write_ranker
from tests.servers import PROJECT

KILLED_IN_A_DOWNLOAD = """
import os, sys
from pathlib import Path
from serving.champion.ranker_copies import RankerCopies
with RankerCopies(Path(sys.argv[1])).fresh_folder("demo-llm") as folder:
    (folder / "ranker.onnx").write_bytes(b"half of it")
    os.kill(os.getpid(), 9)
"""


@pytest.fixture
def cache(tmp_path: Path) -> RankerCopies:
    return RankerCopies(tmp_path / "state" / "rankers")


@pytest.fixture
def ranker(tmp_path: Path) -> Path:
    return write_ranker(tmp_path / "ranker")


def keep(cache: RankerCopies, version: int, ranker: Path, target_llm: str = "demo-llm") -> None:
    """As a download that ends well."""
    with cache.fresh_folder(target_llm) as folder:
        for name in RANKER_FILES:
            shutil.copyfile(ranker / name, folder / name)
        cache.keep(target_llm, version, folder)


def last_of(cache: RankerCopies, target_llm: str = "demo-llm") -> tuple[int, Path] | None:
    with cache.last(target_llm) as found:
        return found


def left(cache: RankerCopies) -> set[str]:
    """What lies in the folder of the target LLM beside the pointer and the lock."""
    return {path.name for path in (cache.folder / "pars-demo-llm").iterdir()} - {LAST, LOCK}


def test_nothing_is_found_before_something_is_kept(cache: RankerCopies) -> None:
    assert last_of(cache) is None
    assert not cache.folder.exists(), "a look leaves nothing behind"


def test_last_one_of_each_target_is_found_whole_and_alone(cache: RankerCopies, tmp_path: Path) -> None:
    for version, weight in ((1, 1.0), (2, -1.0)):
        keep(cache, version, write_ranker(tmp_path / str(version), weight=weight))
    keep(cache, 12, write_ranker(tmp_path / "other", "org/other"), "org/other")
    found, other = last_of(cache), last_of(cache, "org/other")
    assert found is not None and other is not None
    assert (found[0], other[0]) == (2, 12)
    assert Ranker.load(found[1], "demo-llm").scorer.score("one two") == -2
    assert Ranker.load(other[1], "org/other").scorer.score("one two") == 2
    assert left(cache) == {found[1].name}, "the one before is gone"
    assert {path.name for path in found[1].iterdir()} == set(RANKER_FILES)


def test_download_that_fails_leaves_nothing_and_the_one_before_stays(cache: RankerCopies, ranker: Path) -> None:
    keep(cache, 1, ranker)
    with suppress(ConnectionError), cache.fresh_folder("demo-llm") as folder:
        (folder / ONNX_FILE).write_bytes(b"half of it")
        raise ConnectionError
    found = last_of(cache)
    assert found is not None and found[0] == 1
    assert left(cache) == {found[1].name}


def test_download_that_is_not_kept_leaves_nothing(cache: RankerCopies) -> None:
    with cache.fresh_folder("demo-llm") as folder:
        (folder / ONNX_FILE).write_bytes(b"another kind of model")
    assert left(cache) == set()


def test_what_a_killed_process_left_is_swept_by_the_next_download(cache: RankerCopies, ranker: Path) -> None:
    command = [sys.executable, "-c", KILLED_IN_A_DOWNLOAD, str(cache.folder)]
    assert subprocess.run(command, cwd=PROJECT, check=False).returncode == -9
    (leftover,) = left(cache)
    keep(cache, 1, ranker)
    assert leftover not in left(cache)


def test_download_of_another_process_is_not_swept(cache: RankerCopies, ranker: Path) -> None:
    may_end, is_there = threading.Event(), threading.Event()
    survived: list[bool] = []

    def download_slowly() -> None:
        with RankerCopies(cache.folder).fresh_folder("demo-llm") as folder:
            (folder / ONNX_FILE).write_bytes(b"half of it")
            is_there.set()
            may_end.wait(10)
            survived.append((folder / ONNX_FILE).is_file())

    other = threading.Thread(target=download_slowly)
    other.start()
    assert is_there.wait(10)
    keep(cache, 1, ranker)
    may_end.set()
    other.join()
    assert survived == [True]
    assert len(left(cache)) == 1


def test_many_that_swap_at_once_leave_one_ranker_that_loads(cache: RankerCopies, ranker: Path) -> None:
    def swap(version: int) -> None:
        for _ in range(5):
            keep(RankerCopies(cache.folder), version, ranker)

    threads = [threading.Thread(target=swap, args=(version,)) for version in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = last_of(cache)
    assert found is not None
    Ranker.load(found[1], "demo-llm")
    assert left(cache) == {found[1].name}


def test_ranker_that_is_being_loaded_is_not_taken_away(cache: RankerCopies, ranker: Path) -> None:
    keep(cache, 1, ranker)
    with cache.last("demo-llm") as found:
        assert found is not None
        other = threading.Thread(target=keep, args=(RankerCopies(cache.folder), 2, ranker))
        other.start()
        other.join(0.3)
        Ranker.load(found[1], "demo-llm")
    other.join()
    found = last_of(cache)
    assert found is not None and found[0] == 2


@pytest.fixture
def blocked(tmp_path: Path) -> RankerCopies:
    """A cache that nobody can write, not even root."""
    (tmp_path / "file").write_text("in the way")
    return RankerCopies(tmp_path / "file" / "rankers")


def test_cache_that_cannot_be_written_is_said_once_and_a_private_folder_serves_for_the_moment(
    blocked: RankerCopies,
    ranker: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            with blocked.fresh_folder("demo-llm") as folder:
                assert folder.parent == elsewhere
                assert folder.stat().st_mode & 0o077 == 0
                blocked.keep("demo-llm", 1, folder)
                assert folder.is_dir()
    assert caplog.text.count("No ranker is cached, since ") == 1
    assert list(elsewhere.iterdir()) == []
    assert last_of(blocked) is None


@pytest.mark.parametrize("content", ["", "no version", "7", "-3", "../../../etc"])
def test_pointer_that_leads_nowhere_is_no_ranker_that_loads(cache: RankerCopies, ranker: Path, content: str) -> None:
    keep(cache, 1, ranker)
    (cache.folder / "pars-demo-llm" / LAST).write_text(content)
    found = last_of(cache)
    assert found is None or not (found[1] / ONNX_FILE).exists()


def test_cache_of_version_0_1_0_is_read_and_goes_on(cache: RankerCopies, ranker: Path) -> None:
    home = cache.folder / "pars-demo-llm"
    for name in ("7-abcdefgh", "6-killed"):
        shutil.copytree(ranker, home / name)
    (home / LAST).write_text("7-abcdefgh")
    found = last_of(cache)
    assert found is not None and found[0] == 7
    Ranker.load(found[1], "demo-llm")
    keep(cache, 8, ranker)
    assert len(left(cache)) == 1
