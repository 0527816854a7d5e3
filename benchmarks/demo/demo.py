"""The whole life of a ranker on embedded data, step by step: `make demo`."""

from pathlib import Path

from benchmarks.demo.outcome import outcome
from benchmarks.demo.steps import Stage, Step

TARGET_LLM = "demo-llm"
FOLDER = Path(".demo")
PROMPTS = 2500
PROJECT = ("mlflow", "run", ".", "--env-manager", "local")
"""How users type a command of the project."""


def steps() -> list[Step]:
    """The demo's commands, as a user would type them."""
    lengths = FOLDER / "lengths.jsonl"
    target = ["-P", f"target_llm={TARGET_LLM}"]
    log = ["-P", f"lengths={lengths}"]
    training = ["-P", "max_prompts=1000", "-P", "trials=3"]
    replay = ["-P", "requests=200", "-P", "low_load_requests=50", "-P", "policies=fcfs,pars,oracle", "-P", "repeats=2"]
    replay += ["-P", "impose_lengths=off", "-P", "late_share=1"]  # on a busy machine it ends all the same, and says so
    return [
        workload_step("workload", lengths, PROMPTS, seed=0),
        llm_step(),
        Step("train", "Tune, train and register a ranker.", [*PROJECT, *log, *target, *training]),
        Step("promote", "Make it the champion.", [*PROJECT, "-e", "promote", *target]),
        Step(
            "replay",
            "Serve it beside vLLM, which ends its own answers; replay one burst under FCFS, PARS and oracle.",
            [*PROJECT, "-e", "replay", *log, *target, *replay],
        ),
    ]


def workload_step(name: str, out: Path, prompts: int, seed: int) -> Step:
    """Write prompts of the embedded workload, and the lengths of their answers."""
    command = [
        "python",
        "-m",
        "training",
        "workload",
        "--out",
        str(out),
        "--prompts",
        str(prompts),
        "--seed",
        str(seed),
    ]
    return Step(name, "Make the embedded workload: prompts whose lengths follow a stated law with noise.", command)


def llm_step() -> Step:
    """Make the LLM that serves where no other is named."""
    return Step(
        "llm",
        "Make the embedded target LLM (random weights: gibberish, of the length that the law draws).",
        ["python", "-m", "benchmarks.demo.demo_llm", str(FOLDER / "llm")],
    )


def run_demo() -> str:
    """Run every step, and return what came of it.

    Raises:
        DemoError: a step failed.
    """
    todo = steps()
    stage = Stage(FOLDER, len(todo))
    stage.run(todo)
    stage.end()
    return "\n".join(outcome(TARGET_LLM))
