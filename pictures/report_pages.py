"""The pages that reports are, and the start of the docs' own site: files, which a browser opens as they are."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.demo.demo import TARGET_LLM
from benchmarks.report.page.log import PAGE_FILE
from pictures.browser import Shot
from pictures.stage import NothingToShow, Stage, artefact, newest_run
from registry.store import model_name

SITE = Path(".site/index.html")


def report(_: Stage) -> Iterator[Shot]:
    """The first screen of the demo's replay.

    Raises:
        NothingToShow: the demo has left no replay.
    """
    run = newest_run(model_name(TARGET_LLM), "replay", "run make demo", {"policies": "fcfs,pars,oracle"})
    page = artefact(run, PAGE_FILE)
    yield Shot("report", page.absolute().as_uri(), ("What next?", "Is it worth it?"))


def site(_: Stage) -> Iterator[Shot]:
    """The first page of the site.

    Raises:
        NothingToShow: it was not built.
    """
    if not SITE.exists():
        raise NothingToShow(f"the site must be in {SITE.parent}, but it is not; run make docs first.")
    yield Shot("site", SITE.absolute().as_uri(), ("PARS",))
