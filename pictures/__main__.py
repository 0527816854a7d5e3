"""`make pictures`, or `python -m pictures NAME...`: what the docs show, into docs/pictures.

It shows what `make demo`, `make loop` and `make docs` have left; of what is not there it says so, and goes on.
"""

import sys
from collections.abc import Callable, Iterable, Mapping

from charts.dark import for_every_screen
from charts.picture import svg
from pictures import loop_pages, mlflow_pages, report_pages, traced_requests
from pictures.browser import Camera, NoBrowser, Shot, camera
from pictures.burst import AT_ONCE, replayed_burst
from pictures.mlflow_ui import REMEMBERED, mlflow_ui
from pictures.printed import terminal
from pictures.queue_chart import queue_chart
from pictures.stage import FOLDER, Stage
from registry.errors import UserError
from registry.tracking import configure_tracking


def main() -> None:
    """Make the pictures that are named, or all; what could not be made is said in the end, with exit code 1."""
    store, names = configure_tracking(), set(sys.argv[1:])
    FOLDER.mkdir(exist_ok=True)
    missing = [said for name, draw in DRAWN.items() if name in (names or DRAWN) if (said := _drawn(name, draw))]
    try:
        missing += _photographed(store, names)
    except NoBrowser as error:
        missing.append(str(error))
    sys.stdout.write("\n".join([*missing, f"The pictures are in {FOLDER}."]) + "\n")
    sys.exit(1 if missing else 0)


def _queue() -> str:
    return for_every_screen(svg(queue_chart(replayed_burst(), AT_ONCE)))


def _doctor() -> str:
    return terminal(["pars", "doctor"], {"PARS_JOURNAL": "text"})


DRAWN: Mapping[str, Callable[[], str]] = {"queue": _queue, "doctor": _doctor}
"""SVGs, by their names."""


ALBUMS: Mapping[str, Callable[[Stage], Iterable[Shot]]] = {
    "mlflow": mlflow_pages.pages,
    "traces": traced_requests.pages,
    "loop": loop_pages.pages,
    "report": report_pages.report,
    "site": report_pages.site,
}
"""Photographs, by the names of their albums."""


def _drawn(name: str, draw: Callable[[], str]) -> str:
    """Write a picture, or say why there is none."""
    try:
        (FOLDER / f"{name}.svg").write_text(draw(), encoding="utf-8")
    except UserError as error:
        return f"{name}: {error}"
    return ""


def _photographed(store: str, names: set[str]) -> list[str]:
    """Photograph the albums that are named, or all, and say what there was nothing of."""
    wanted = [album for name, album in ALBUMS.items() if name in (names or ALBUMS)]
    if not wanted:
        return []
    with mlflow_ui(store) as url, camera(REMEMBERED) as take:
        return [said for album in wanted if (said := _taken(take, album(Stage(store, url))))]


def _taken(take: Camera, shots: Iterable[Shot]) -> str:
    try:
        for shot in shots:
            take(shot, FOLDER)
    except UserError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    main()
