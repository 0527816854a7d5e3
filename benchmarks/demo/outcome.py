"""What a demonstration ends with: five lines that a person reads, from what the runs in MLflow have measured."""

import mlflow
from mlflow.entities import Run

from benchmarks.endpoint.client_limits import WORST_SHARE
from benchmarks.policies.titles import figure
from benchmarks.replay.config import ReplayConfig
from benchmarks.report.page.log import PAGE_FILE
from benchmarks.report.summary import RATIO
from registry.runs.experiments import experiment_name
from registry.store import alias_version, model_name
from registry.tracking import NOTE_TAG, configure_tracking

TAU, INSTANT_TAU = "kendall_tau_b", "instant_kendall_tau_b"


def outcome(target_llm: str) -> list[str]:
    """What was trained and how good it is, what it brought, where to look, how to serve it, what to do next."""
    replay = _replay(target_llm)
    page = mlflow.artifacts.download_artifacts(f"{replay.info.artifact_uri}/{PAGE_FILE}")
    return [
        f"Trained   {_trained(target_llm)}",
        f"Gained    {_gained(replay)}",
        f"Look      {look_at_all()} (http://127.0.0.1:5000); what it gained: {page}",
        "Serve     .venv/bin/bentoml serve (http://127.0.0.1:3000/v1, vLLM's OpenAI API, short answers first)",
        "Next      .venv/bin/pars what-if --log LOG (what it would bring on your own traffic: docs/guides/your-log.md)",
    ]


def look_at_all() -> str:
    """The command that shows every run and every registered ranker."""
    return f".venv/bin/mlflow ui --backend-store-uri {configure_tracking()}"


def _replay(target_llm: str) -> Run:
    """The newest one."""
    experiment = experiment_name({"target_llm": target_llm})
    found: list[Run] = mlflow.search_runs(
        experiment_names=[experiment],
        filter_string=f"metrics.`pars.{RATIO}` > 0",
        order_by=["attributes.start_time DESC"],
        max_results=1,
        output_format="list",
    )
    return found[0]


def _trained(target_llm: str) -> str:
    name, version = model_name(target_llm), alias_version(target_llm)
    run_id = mlflow.MlflowClient().get_model_version(name, str(version)).run_id
    metrics = mlflow.get_run(str(run_id)).data.metrics
    return (
        f"{name}, version {version}: it puts answers in their order with a Kendall tau-b of {metrics[TAU]:.2f}"
        f" ({metrics[f'{TAU}_low']:.2f} to {metrics[f'{TAU}_high']:.2f}; 0 is chance, 1 perfect), its instant tier"
        f" {metrics[INSTANT_TAU]:.2f}"
    )


def _gained(replay: Run) -> str:
    """The replay's own headline, and beside it what is the most that an order can bring."""
    limit, late = figure(replay.data.metrics[f"oracle.{RATIO}"]), replay.data.metrics[WORST_SHARE]
    doubt = f" Take it with care: {late:.0%} of the requests were sent late, so the machine was busy."
    headline = replay.data.tags[NOTE_TAG].partition("\n")[0]  # the report follows
    said = f"{headline} Knowing every length: a factor of {limit}."
    return said + doubt if late > ReplayConfig.late_share else said
