"""`registry/tracking.py`: what a run shows of its settings."""

from dataclasses import dataclass

import mlflow
import pytest

from registry.tracking import configure_tracking, log_parameters
from tests.conftest import tracking


@dataclass(frozen=True)
class Settings:
    """Of a command."""

    storage: str = "postgresql://user:5ecret@host/study"
    trials: int = 3
    checkpoint: None = None


@pytest.mark.usefixtures("registry")
def test_a_run_shows_its_settings_without_passwords() -> None:
    with mlflow.start_run() as run:
        log_parameters(Settings())
    shown = mlflow.get_run(run.info.run_id).data.params
    assert shown == {"storage": "postgresql://***@host/study", "trials": "3", "checkpoint": "None"}


@pytest.mark.parametrize(("uri", "silenced"), [("http://user:5ecret@host:5000", True), ("http://host:5000", False)])
def test_mlflow_does_not_print_the_address_of_a_run_if_it_holds_a_password(
    monkeypatch: pytest.MonkeyPatch, uri: str, silenced: bool
) -> None:
    monkeypatch.setenv("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "false")
    with tracking(uri):
        configure_tracking()
        assert bool(mlflow.environment_variables.MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT.get()) == silenced
