"""The whole life of a ranker on embedded data, step by step: `make demo`."""

from pathlib import Path

from benchmarks.demo.steps import Stage, Step
from registry.tracking import configure_tracking

TARGET_LLM = "demo-llm"
FOLDER = Path(".demo")
PROMPTS = 2500


def steps() -> list[Step]:
    """The demo's commands, as a user would type them."""
    lengths = FOLDER / "lengths.jsonl"
    project = ["mlflow", "run", ".", "--env-manager", "local"]
    target = ["-P", f"target_llm={TARGET_LLM}"]
    log = ["-P", f"lengths={lengths}"]
    workload = ["python", "-m", "training", "workload", "--out", str(lengths), "--prompts", str(PROMPTS)]
    training = ["-P", "max_prompts=1000", "-P", "trials=3"]
    replay = ["-P", "requests=200", "-P", "low_load_requests=50", "-P", "policies=fcfs,pars,oracle", "-P", "repeats=2"]
    replay += ["-P", "impose_lengths=off"]
    return [
        Step("workload", "Make the embedded workload: prompts whose lengths follow a stated law with noise.", workload),
        Step(
            "llm",
            "Make the embedded target LLM (random weights: gibberish, of the length that the law draws).",
            ["python", "-m", "benchmarks.demo.demo_llm", str(FOLDER / "llm")],
        ),
        Step("train", "Tune, train and register a ranker.", [*project, *log, *target, *training]),
        Step("promote", "Make it the champion.", [*project, "-e", "promote", *target]),
        Step(
            "replay",
            "Serve it beside vLLM, which ends its own answers; replay one burst under FCFS, PARS and oracle.",
            [*project, "-e", "replay", *log, *target, *replay],
        ),
    ]


def run_demo() -> str:
    """Run every step, and return what to do next.

    Raises:
        DemoError: a step failed.
    """
    todo = steps()
    stage = Stage(FOLDER, len(todo))
    stage.run(todo)
    stage.end()
    return (
        "Serve it:            .venv/bin/bentoml serve     (http://127.0.0.1:3000/v1)\n"
        f"Look at all of it:   .venv/bin/mlflow ui --backend-store-uri {configure_tracking()}"
    )
