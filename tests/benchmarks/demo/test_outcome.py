"""A demonstration ends with what was measured in it, in five lines."""

import mlflow
import pytest

from benchmarks.demo.outcome import outcome
from registry.runs.experiments import use_experiment
from registry.tracking import NOTE_TAG
from tests.registry.conftest import registry as registry

TAUS = {"kendall_tau_b": 0.776, "kendall_tau_b_low": 0.751, "kendall_tau_b_high": 0.8, "instant_kendall_tau_b": 0.7}
RATIOS = {"pars.fcfs_over_policy": 4.0, "oracle.fcfs_over_policy": 6.0}


def replayed(headline: str, late_share: float = 0.0) -> None:
    with mlflow.start_run():
        mlflow.log_metrics(RATIOS | {"client_late_share": late_share})
        mlflow.set_tag(NOTE_TAG, f"{headline}\n```\nthe whole report\n```")
        mlflow.log_text("<html>", "report.html")


@pytest.mark.usefixtures("registry")
def test_five_lines_say_what_the_newest_runs_have_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID", raising=False)
    use_experiment({"target_llm": "one"})
    with mlflow.start_run() as run:
        mlflow.log_metrics(TAUS)
    client = mlflow.MlflowClient()
    client.create_registered_model("pars-one")
    client.create_model_version("pars-one", "file:///nowhere", run.info.run_id)
    client.set_registered_model_alias("pars-one", "champion", "1")
    replayed("PARS was no better.")
    replayed("PARS answers 4 times sooner.")
    trained, gained, look, serve, following = outcome("one")
    assert "pars-one, version 1" in trained
    assert "0.78 (0.75 to 0.80; 0 is chance, 1 perfect), its instant tier 0.70" in trained
    assert gained.endswith("PARS answers 4 times sooner. Knowing every length: a factor of 6.")
    assert f"mlflow ui --backend-store-uri {mlflow.get_tracking_uri()}" in look
    assert look.endswith("report.html")
    assert "bentoml serve" in serve
    assert "pars what-if --log" in following
    replayed("PARS answers 3 times sooner.", late_share=0.3)
    assert outcome("one")[1].endswith(
        "a factor of 6. Take it with care: 30% of the requests were sent late, so the machine was busy."
    )
