"""Debian's Chromium, which photographs pages of this machine and is let nowhere else."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page, Route, sync_playwright
from playwright.sync_api import TimeoutError as NotShown

from pictures.stage import NothingToShow
from registry.errors import UserError

SIZE = {"width": 1280, "height": 800}
LOADING_MS, PATIENCE_MS = 180_000.0, 180_000.0
"""For a page, and for what must be on it: where all cores are busy, MLflow's takes minutes."""
SETTLING_MS = 4000.0
"""Pages of MLflow go on asking, so when the last chart is drawn nothing tells."""
OWN = ("127.0.0.1", "localhost")


class NoBrowser(UserError, RuntimeError):
    """There is no browser on this machine."""


@dataclass(frozen=True)
class Shot:
    """A page, and what must be on it when it is photographed."""

    name: str
    """Of the file, without its ending."""
    url: str
    shows: tuple[str, ...]
    """Texts that are there when the page is whole; it is scrolled so that the last one can be seen."""
    typed: tuple[str, str] | None = None
    """What a field is asked for by what it says while it is empty, and what is typed into it."""
    clicks: tuple[str, ...] = ()
    """Texts that are clicked on then, one after the other."""
    hides: str = ""
    """A CSS selector of what is in the way."""


Camera = Callable[[Shot, Path], None]


@contextmanager
def camera(remembered: dict[str, str] | None = None) -> Iterator[Camera]:
    """Yield what photographs a page into a folder; pages find what they are said to have remembered.

    Raises:
        NoBrowser: there is no Chromium.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        raise NoBrowser("pictures need the browser Chromium, but there is none; on Debian: apt-get install chromium.")
    with sync_playwright() as drivers, drivers.chromium.launch(executable_path=program) as browser:
        context = browser.new_context(viewport=SIZE, reduced_motion="reduce")  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MS)
        context.set_default_navigation_timeout(LOADING_MS)
        context.route("**/*", _only_here)
        for name, value in (remembered or {}).items():
            context.add_init_script(f"localStorage.setItem({name!r}, {value!r})")
        yield lambda shot, folder: _photograph(context, shot, folder)


def _only_here(route: Route) -> None:
    """Pages of MLflow ask the world for news; what is photographed may not."""
    here = urlsplit(route.request.url)
    route.continue_() if here.scheme == "file" or here.hostname in OWN else route.abort()


def _photograph(context: BrowserContext, shot: Shot, folder: Path) -> None:
    page = context.new_page()
    try:
        page.goto(shot.url, wait_until="domcontentloaded")
        _wait_for(page, shot)
        _act(page, shot)
        page.wait_for_timeout(SETTLING_MS)
        style = f"{shot.hides} {{ visibility: hidden; }}" if shot.hides else None
        page.screenshot(path=folder / f"{shot.name}.png", style=style, animations="disabled")
    finally:
        page.close()


def _wait_for(page: Page, shot: Shot) -> None:
    for text in shot.shows:
        try:
            page.get_by_text(text).first.scroll_into_view_if_needed()
        except NotShown:
            raise NothingToShow(f"the page {shot.url} must show {text!r}, but does not.") from None


def _act(page: Page, shot: Shot) -> None:
    if shot.typed is not None:
        field, text = shot.typed
        page.get_by_placeholder(field).fill(text)
    for text in shot.clicks:
        page.get_by_text(text).first.click()
