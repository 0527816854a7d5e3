"""The whole life of a ranker on embedded data, step by step: `make demo`."""

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from registry.errors import UserError
from registry.tracking import configure_tracking

TARGET_LLM = "demo-llm"
FOLDER = Path(".demo")
PROMPTS = 2500


class DemoError(UserError, RuntimeError):
    """A step that failed, and where its log is."""


@dataclass(frozen=True)
class Step:
    """One command of the demo; its output is shown and kept in `.demo/NAME.log`."""

    name: str
    does: str
    command: Sequence[str]


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
    FOLDER.mkdir(exist_ok=True)
    console = Console(soft_wrap=True, highlight=False)
    started = time.monotonic()
    todo = steps()
    for number, step in enumerate(todo, 1):
        minutes = (time.monotonic() - started) / 60
        console.print(f"\n[{number}/{len(todo)}, {minutes:.1f} min] {step.does}", style="bold", markup=False)
        console.print("$ " + " ".join(step.command), markup=False)
        _run(step)
    console.print(f"\nDone in {(time.monotonic() - started) / 60:.1f} minutes.", style="bold")
    return (
        "Serve it:            .venv/bin/bentoml serve     (http://127.0.0.1:3000/v1)\n"
        f"Look at all of it:   .venv/bin/mlflow ui --backend-store-uri {configure_tracking()}"
    )


def _run(step: Step) -> None:
    """Show a command's output as it comes, progress bars included, and keep it."""
    log_path = FOLDER / f"{step.name}.log"
    interpreter = Path(sys.executable).parent
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [str(interpreter / step.command[0]), *step.command[1:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert process.stdout is not None
        while chunk := process.stdout.read1():  # type: ignore[attr-defined]
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            log.write(chunk)
    if process.wait() != 0:
        raise DemoError(f"the step '{step.name}' failed with exit code {process.returncode}; its log is {log_path}.")
