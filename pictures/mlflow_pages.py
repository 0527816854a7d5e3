"""Which pages of MLflow the docs show, of the store that `make demo` has left."""

from collections.abc import Iterator
from dataclasses import replace

from mlflow.entities import Run

from benchmarks.demo.demo import TARGET_LLM
from pictures.browser import Shot
from pictures.stage import Stage, newest_run
from registry.store import alias_version, model_name

HIDDEN = "button:has(.assistant-fab-label), :has(> [title*='/artifacts/'])"
"""The button of an assistant, and the path of a file on the machine."""
MORE = "Show more"
DEMO = "run make demo"


def pages(stage: Stage) -> Iterator[Shot]:
    """A shot of each.

    Raises:
        NothingToShow: the demo has not left what a page is of.
    """
    url, experiment = stage.url, model_name(TARGET_LLM)
    training = newest_run(experiment, "train", DEMO)
    yield shot("experiments", f"{url}/#/experiments", experiment, "target_llm")
    yield shot("runs", f"{url}/#/experiments/{training.info.experiment_id}/runs", "train", "promote")
    curves = shot("curves", f"{page_of(url, training)}/model-metrics", "Model metrics")
    yield replace(curves, typed=("Search metric charts", "validation_kendall"))
    yield shot("study", f"{page_of(url, training)}/artifacts/study/intermediate_values.svg", "trials.json")
    yield shot("model", f"{url}/#/models/{experiment}", "previous_champion", "Versions")
    yield shot("version", f"{url}/#/models/{experiment}/versions/{alias_version(TARGET_LLM)}", "Gate", "The decision")


def page_of(url: str, run: Run) -> str:
    """The page of a run."""
    return f"{url}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}"


def shot(name: str, url: str, *shows: str, clicks: tuple[str, ...] = ()) -> Shot:
    """A page of MLflow."""
    return Shot(f"mlflow-{name}", url, shows, clicks=clicks, hides=HIDDEN)
