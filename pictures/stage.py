"""Where pictures come from and go to: the store that `make demo` and `make loop` left, and the docs' folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow.entities import Run

from registry.errors import UserError

FOLDER = Path("docs/pictures")


@dataclass(frozen=True)
class Stage:
    """Where pages are photographed."""

    store: str
    """MLflow's, as a client of it is told."""
    url: str
    """Of MLflow's own pages over that store."""


class NothingToShow(UserError, RuntimeError):
    """What a picture would show is not in the store; the message says which command leaves it there."""


def newest_run(experiment: str, name: str, made_by: str, params: Mapping[str, str] | None = None) -> Run:
    """The newest finished run of an experiment by the beginning of its name, and by settings that it had.

    Raises:
        NothingToShow: there is none.
    """
    runs = mlflow.search_runs(
        experiment_names=[experiment],
        filter_string=f"attributes.status = 'FINISHED' AND attributes.run_name LIKE '{name}%'",
        order_by=["attributes.start_time DESC"],
        output_format="list",
    )
    for run in runs:
        if all(run.data.params.get(key) == value for key, value in (params or {}).items()):
            return run
    raise NothingToShow(f"a run '{name}' must be in the experiment {experiment}, but there is none; {made_by} first.")


def artefact(run: Run, path: str) -> Path:
    """A file of a run.

    Raises:
        NothingToShow: the run has no such file.
    """
    try:
        return Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path=path))
    except (OSError, mlflow.MlflowException) as error:
        raise NothingToShow(f"the run {run.info.run_name} must hold {path}, but it cannot be read: {error}") from error
