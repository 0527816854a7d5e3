"""`pictures/browser.py`: pages of this machine are photographed whole, and nothing else is asked for."""

import shutil
import struct
from pathlib import Path

import pytest

from pictures import browser
from pictures.browser import NoBrowser, Shot, camera
from pictures.stage import NothingToShow

needs_chromium = pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine")


def page(folder: Path, body: str) -> str:
    path = folder / "page.html"
    path.write_text(f"<!doctype html><body>{body}</body>", encoding="utf-8")
    return path.as_uri()


def test_without_a_browser_one_sentence_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoBrowser, match="apt-get install chromium"), camera():
        pass


@needs_chromium
def test_a_page_is_photographed_in_the_size_of_a_screen(tmp_path: Path) -> None:
    with camera() as take:
        take(Shot("seen", page(tmp_path, "<h1>the queue</h1>"), ("the queue",)), tmp_path)
    width, height = struct.unpack(">II", (tmp_path / "seen.png").read_bytes()[16:24])
    assert (width, height) == (browser.SIZE["width"], browser.SIZE["height"])


@needs_chromium
def test_a_page_that_does_not_show_what_it_must_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "PATIENCE_MS", 500.0)
    with camera() as take, pytest.raises(NothingToShow, match="must show 'a decision'"):
        take(Shot("unseen", page(tmp_path, "nothing"), ("a decision",)), tmp_path)


@needs_chromium
def test_pages_remember_and_ask_nobody_outside(tmp_path: Path) -> None:
    script = """<p id=p></p><script>
    fetch("http://example.com/").catch(() => p.textContent = "refused; " + localStorage.getItem("mode"))
    </script>"""
    with camera({"mode": "training"}) as take:
        take(Shot("seen", page(tmp_path, script), ("refused; training",)), tmp_path)
