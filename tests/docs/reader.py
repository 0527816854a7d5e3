"""Who types the commands of pages: as written, at smaller sizes, in the world."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.docs.blocks import Block
from tests.docs.dry_run import Told
from tests.docs.served import OF_TINY_LLM, Served
from tests.docs.smaller import smaller
from tests.docs.warm_commands import WarmCommands
from tests.docs.words import Asked, asked

NEEDS_ENGINE = ("replay",)
"""Commands whose lines of options are read and not run: minutes of a real engine each."""
SHOWN = re.compile(r"^# ?(.*)$", re.MULTILINE)
RUN_BATCH = "vllm.entrypoints.launchers.run_batch"


@dataclass
class Reader:
    """In one shell, with what runs behind it."""

    folder: Path
    environment: Mapping[str, str]
    commands: WarmCommands
    served: Served
    _printed: dict[object, str] = field(default_factory=dict)

    def types(self, told: Told) -> str:
        """Run a command, unless the same one has run before; what it printed.

        Raises:
            AssertionError: it failed, or nothing here can run it; with the place and what it printed.
        """
        key = (*told.words, *sorted(told.environment.items()), told.block.text if told.words == ["python", "-"] else "")
        if key not in self._printed:
            self._printed[key] = self._run(told)
        return self._printed[key]

    def _run(self, told: Told) -> str:
        words = [self.served.at_its_address(one) for one in told.words]
        match words:
            case ["bentoml" | "vllm", "serve", *_] | ["mlflow", "ui" | "server", *_]:
                self.served.start(told)
                return ""
            case ["vllm", "run-batch", *rest]:
                return self._runs([sys.executable, "-m", RUN_BATCH, *OF_TINY_LLM.split(), *rest], told)
            case ["curl", *rest]:
                return self._runs(["curl", "--fail", *rest], told)
            case ["python", "-"]:
                text = self.served.at_its_address(told.block.text)
                return self._runs([sys.executable, "-c", text], told)
            case ["mlflow", "experiments", *_]:
                return self._runs([sys.executable, "-m", *words], told)
        command = asked(words, told.block.options_of)
        assert command, f"{told.block.place}: no test runs {' '.join(words)}; say why by a marker"
        return self._does(command, told)

    def trains(self, words: Sequence[str]) -> None:
        """Run a command that no page gives."""
        self._does(Asked(None, words), Told(Block(Path(__file__), 0, "", ""), words, {}))

    def _does(self, command: Asked, told: Told) -> str:
        output = self.folder / "output.txt"
        words = smaller([self.served.at_its_address(one) for one in command.words])
        code = self.commands.run(command.room, words, self.folder, self._environment_of(told), output)
        return _checked(code, output.read_text(), words, told)

    def _runs(self, words: Sequence[str], told: Told) -> str:
        done = subprocess.run(
            words, cwd=self.folder, env=self._environment_of(told), capture_output=True, text=True, check=False
        )
        return _checked(done.returncode, f"{done.stdout}{done.stderr if done.returncode else ''}", words, told)

    def _environment_of(self, told: Told) -> dict[str, str]:
        return {**self.environment, **told.environment}


def _checked(code: int, printed: str, words: Sequence[str], told: Told) -> str:
    assert code == 0, f"{told.block.place}: exit code {code} of {' '.join(words)}\n{printed}"
    return printed


def shown_in(block: Block) -> list[Mapping[str, Any]]:
    """The JSON objects that a block shows in comments, which may go over lines."""
    found, text = [], ""
    for line in SHOWN.findall(block.text):
        text = line if line.startswith("{") else text + line
        with suppress(json.JSONDecodeError):
            found.append(json.loads(text))
    return found


def printed_by(outputs: Sequence[str]) -> list[set[str]]:
    """The fields of the JSON objects that commands have printed."""
    decoder, found = json.JSONDecoder(), []
    for output in outputs:
        for begins in re.finditer(r"^{", output, re.MULTILINE):
            with suppress(json.JSONDecodeError):
                found.append(set(decoder.raw_decode(output, begins.start())[0]))
    return found
