"""Commands of ours in processes of a warm one: what they import is imported once, not by each of them.

`python -m tests.docs.warm_commands` is that one. It reads a command a line, forks, and prints its exit code.
multiprocessing's own forkserver is one for a process, and the commands' simulations set theirs up.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Any

from cli.__main__ import main as our_main

IMPORTED = (
    "mlflow",
    "altair",
    "sklearn.linear_model",
    "sklearn.feature_extraction.text",
    "transformers.models.bert.modeling_bert",
    "torch._dynamo",
    "torch.onnx._internal.exporter._core",
    "mlflow.pyfunc",
    "cli.actions.trainings",
    "cli.actions.promotions",
    "cli.actions.loops",
    "cli.actions.simulations",
    "training.train",
    "training.several.train_several",
    "loop.retraining.retrain",
    "benchmarks.what_if.what_if",
    "benchmarks.simulation.simulate",
    "benchmarks.simulation.engine.virtual_server",
)


class WarmCommands(AbstractContextManager["WarmCommands"]):
    """The warm process; it ends with the block."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.docs.warm_commands"],
            env={**environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=30)

    def run(
        self, room: str | None, words: Sequence[str], folder: Path, environment: Mapping[str, str], output: Path
    ) -> int:
        """Run a command in a folder, its output in a file; the exit code."""
        asked = {"room": room, "words": [*words], "folder": str(folder), "environment": {**environment}}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked | {"output": str(output)}) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


def become(asked: Mapping[str, Any]) -> None:
    """Be the command's process from here on."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    output = os.open(asked["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = ["pars", *asked["words"]]
    our_main(asked["room"])


def main() -> None:
    """Import, then fork for each line until there are no more."""
    for name in IMPORTED:
        import_module(name)
    for line in sys.stdin:
        process = os.fork()
        if not process:
            become(json.loads(line))
            return
        _, status = os.waitpid(process, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
