"""The commands that blocks give, as bash makes them of variables and loops; none is run."""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.docs.blocks import Block

BASH = shutil.which("bash") or "bash"
TELL = r"""command_not_found_handle() {
  { printf '%s\x1f' "$@"; printf '\x1d'
    for name in $(compgen -e); do printf '%s=%s\x1f' "$name" "${!name}"; done; printf '\x1e'; } >>"$TOLD"
}
"""
"""There is no command where bash looks for one, so each comes to this: its words, and variables that it would see."""
OF_BASH = {"PATH", "HOME", "TOLD", "PWD", "OLDPWD", "SHLVL", "_"}
IN_BACKGROUND = re.compile(r" &$", re.MULTILINE)
"""Here nothing lasts, and commands are told in the order in which they stand."""


@dataclass(frozen=True)
class Told:
    """A command as its process would see it."""

    block: Block
    words: Sequence[str]
    environment: Mapping[str, str]
    """The variables that the blocks so far have exported, and those that stand before its words."""


def commands_in(blocks: Sequence[Block], folder: Path | None = None) -> list[Told]:
    """What each command is told, in order, by a reader who goes through the blocks in one shell, in a folder."""
    with TemporaryDirectory() as home:
        told = Path(home, "told")
        told.touch()
        done = subprocess.run(
            [BASH, "--norc", "-s"],
            input=TELL + "".join(f"next-block {number}\n{_script(one)}" for number, one in enumerate(blocks)),
            env={"PATH": "/nowhere", "HOME": home, "TOLD": str(told)},
            cwd=folder or home,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "syntax error" not in done.stderr, done.stderr
        return _with_blocks(blocks, told.read_text().split("\x1e")[:-1])


def _script(block: Block) -> str:
    return IN_BACKGROUND.sub("", block.bash)


def _with_blocks(blocks: Sequence[Block], told: Sequence[str]) -> list[Told]:
    found, block = [], blocks[:1]
    for one in told:
        words, exported = (part.split("\x1f")[:-1] for part in one.split("\x1d"))
        if words[0] == "next-block":
            block = [blocks[int(words[1])]]
            continue
        environment = dict(text.split("=", 1) for text in exported)
        found.append(Told(block[0], words, {name: environment[name] for name in environment.keys() - OF_BASH}))
    return found
