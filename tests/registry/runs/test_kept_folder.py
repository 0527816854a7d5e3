"""`registry/runs/kept_folder.py`: a ranker that is whole outlives whatever fails after it."""

import tempfile
from pathlib import Path

import pytest

from registry.runs.kept_folder import kept_unless_stored
from registry.runs.mlflow_failures import MlflowFailure
from tests.rankers import write_ranker


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("work", "scratch"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    return tmp_path


def test_a_folder_is_gone_once_its_ranker_is_stored(folders: Path) -> None:
    with kept_unless_stored("pars-llm") as folder:
        write_ranker(folder)
    assert not list(folders.glob("*/*"))


def test_a_ranker_that_is_not_whole_is_not_kept(folders: Path) -> None:
    with pytest.raises(OSError, match="disk full"), kept_unless_stored("pars-llm"):
        raise OSError("disk full")
    assert not list(folders.glob("*/*"))


def trained_then(error: BaseException) -> None:
    with kept_unless_stored("pars-llm") as folder:
        write_ranker(folder)
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ZeroDivisionError()])
def test_whatever_else_fails_the_ranker_is_kept_and_its_place_is_logged(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(type(error)):
        trained_then(error)
    (kept,) = Path("unregistered").iterdir()
    assert f"`python -m registry register --ranker {kept.absolute()}` registers it" in caplog.text


def test_where_the_working_folder_cannot_be_written_it_stays_where_it_is(folders: Path) -> None:
    Path("unregistered").write_text("a file where a folder must be")
    with pytest.raises(MlflowFailure, match="registers it; not registered, because ") as caught:
        trained_then(ConnectionError("Connection refused"))
    (left,) = (folders / "scratch").iterdir()
    assert str(left) in str(caught.value)
    assert (left / "card.json").is_file()
