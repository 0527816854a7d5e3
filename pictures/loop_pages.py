"""What `make loop` has left in MLflow: the watch that has noticed, and the decision on the retrained ranker."""

from collections.abc import Iterator

import mlflow

from loop.demo.closed_loop import TARGET_LLM
from pictures.browser import Shot
from pictures.mlflow_pages import MORE, page_of, shot
from pictures.stage import NothingToShow, Stage, newest_run
from registry.store import model_name

LOOP = "run make loop"


def pages(stage: Stage) -> Iterator[Shot]:
    """A shot of each.

    Raises:
        NothingToShow: the loop has not left what a page is of.
    """
    url, experiment = stage.url, model_name(TARGET_LLM)
    watch = newest_run(experiment, "watch", LOOP)
    chart = _chart(watch.info.run_id, "tau-b")
    yield shot("watch", f"{page_of(url, watch)}/artifacts/{chart}", chart.partition("/")[2])
    yield shot("retrained", page_of(url, newest_run(experiment, "promote", LOOP)), "looked at", clicks=(MORE,))


def _chart(run_id: str, of: str) -> str:
    charts = [one.path for one in mlflow.MlflowClient().list_artifacts(run_id, "charts")]
    for path in charts:
        if of in path:
            return path
    raise NothingToShow(f"the watch must have a chart of {of}, but has {', '.join(charts)}; {LOOP} again.")
