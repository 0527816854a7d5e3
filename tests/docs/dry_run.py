"""The commands that blocks give, with all their words, as bash makes them of variables and loops; none is run."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.docs.blocks import Block

BASH = shutil.which("bash") or "bash"
TELL = r"""command_not_found_handle() { printf '%s\x1f' "$@" >>"$TOLD"; printf '\x1e' >>"$TOLD"; }
"""
"""There is no command where bash looks for one, so each comes to this."""


def commands_in(blocks: Sequence[Block]) -> list[list[str]]:
    """The words of each command, in order; before lines of options stand the words `options-of` and their command."""
    with TemporaryDirectory() as folder:
        told = Path(folder, "told")
        told.touch()
        done = subprocess.run(
            [BASH, "--norc", "-s"],
            input=TELL + "".join(map(_script, blocks)),
            env={"PATH": "/nowhere", "HOME": folder, "TOLD": str(told)},
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "syntax error" not in done.stderr, done.stderr
        return [one.split("\x1f")[:-1] for one in told.read_text().split("\x1e")[:-1]]


def _script(block: Block) -> str:
    options_of = f"options-of {block.said}\n" if block.marker == "options of" else ""
    return options_of + block.bash
