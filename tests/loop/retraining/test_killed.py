"""Killed at any point, a retraining leaves nothing that the next start does not put right."""

import subprocess
import sys
from pathlib import Path

import mlflow
import pytest

from loop.retraining.exclusion.lease import Claim
from loop.retraining.retrain import retrain
from registry import store
from tests.conftest import tracking
from tests.loop.retraining.quick_retraining import DIED, config, quick
from tests.loop.retraining.served_days import DAY_S, NOON_S, TARGET_LLM, TOKENS, served, write_journal
from tests.servers import PROJECT

NAME = store.model_name(TARGET_LLM)


@pytest.mark.parametrize(
    ("at", "when", "versions", "next_start"),
    [
        ("registry.store.registration:log_model", "after", 0, "is being retrained already"),
        ("mlflow:register_model", "after", 1, "is being retrained already"),
        ("loop.gate.promote:note_on_version", "after", 1, "is being retrained already"),
        ("registry.store:promote", "after", 1, "are those of version 1, which was promoted"),
    ],
)
def test_the_next_start_finishes_what_a_kill_has_left(
    tmp_path: Path, at: str, when: str, versions: int, next_start: str
) -> None:
    journal = write_journal(tmp_path / "journal", served(TOKENS, 600, NOON_S, NOON_S + 2 * DAY_S, seed=1))
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    with tracking(uri), quick():
        mlflow.set_experiment(experiment_id=mlflow.create_experiment("killed", (tmp_path / "artifacts").as_uri()))
        command = [sys.executable, "-m", "tests.loop.retraining.quick_retraining", uri, str(journal), at, when]
        assert subprocess.run(command, cwd=PROJECT, timeout=300, check=False).returncode == DIED
        client = mlflow.MlflowClient()
        assert len(client.search_model_versions(f"name = '{NAME}'")) == versions
        assert next_start in retrain(config(journal))
        left = Claim.read(NAME)
        assert left is not None
        left._replace(until_s=0.0).write(NAME)  # its time is over
        said = retrain(config(journal))
        assert "Version 1 is the champion" in said or "are those of version 1, which was promoted" in said
        model = store.find_model(NAME)
        assert model is not None
        assert {name: str(version) for name, version in model.aliases.items()} == {store.CHAMPION: "1"}
        (version,) = client.search_model_versions(f"name = '{NAME}'")
        assert version.tags["gate"] == "promoted"
