"""Where `mlflow run` begins its run, which it does before any code of ours: MLflow asks this extension.

Its entry point `mlflow.default_experiment_provider` is asked only where the user has named no experiment.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import yaml
from mlflow.tracking.default_experiment.abstract_context import DefaultExperimentProvider

PROJECT = "pars"


class ProjectExperiment(DefaultExperimentProvider):
    """The experiment of the target LLM that the parameters of `mlflow run` name."""

    def in_context(self) -> bool:
        """Whether this process is `mlflow run` of this project."""
        context = click.get_current_context(silent=True)
        return context is not None and context.info_name == "run" and _is_ours(context.params)

    def get_experiment_id(self) -> str:
        """The experiment; it is made where there is none."""
        from registry.runs.experiments import experiment_id  # what every process of MLflow need not load

        return experiment_id(settings_in(click.get_current_context().params.get("param_list") or ()))


def settings_in(given: Sequence[str]) -> dict[str, object]:
    """The settings of a command from `mlflow run`'s parameters, NAME=VALUE, and the file that one of them names."""
    typed = dict(one.partition("=")[::2] for one in given)
    file = Path(str(typed.get("config") or ""))
    in_file = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else None
    return {**(in_file if isinstance(in_file, Mapping) else {}), **typed}


def _is_ours(params: Mapping[str, Any]) -> bool:
    project = Path(str(params.get("uri"))) / "MLproject"
    return project.is_file() and f"name: {PROJECT}\n" in project.read_text(encoding="utf-8")
