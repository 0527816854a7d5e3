"""The blocks of commands in the pages, and what the marker above a block says of it, invisible to who reads the page.

No marker               it runs where the files and rankers are that it names
<!-- run: served -->    it runs where a server runs
<!-- not run: WHY -->   no test can run it
<!-- options of: NAME -->  each line can be added to that command

`test_blocks.py` has the settings read all of them, `test_run.py` runs them. Of the lines of options it runs those of
commands that start no engine.
"""

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt

from tests.servers import PROJECT

PAGES = [PROJECT / "README.md", PROJECT / "docs" / "start.md", *sorted((PROJECT / "docs" / "guides").rglob("*.md"))]
"""Of which every block that no test can run says why."""
MARKER = re.compile(r"<!-- (run|not run|options of): *(.*?) *-->\s*")
RUNNABLE = ("bash", "python")
FENCE = re.compile(r"^ *```", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One of them."""

    page: Path
    line: int
    language: str
    text: str
    marker: str = ""
    said: str = ""
    """What follows the marker's colon."""

    @property
    def place(self) -> str:
        """Where to look at it."""
        return f"{self.page.relative_to(PROJECT)}:{self.line}"

    @property
    def options_of(self) -> str:
        """The command that its lines are options of, if they are."""
        return self.said if self.marker == "options of" else ""

    @property
    def bash(self) -> str:
        """It as a part of a shell script."""
        return f"python - <<'END'\n{self.text}END\n" if self.language == "python" else self.text


def blocks_of(page: Path) -> list[Block]:
    """All fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    tokens = MarkdownIt().parse(text)
    found = []
    for before, token in pairwise([tokens[0], *tokens]):
        if token.type == "fence" and token.map:
            marked = MARKER.fullmatch(before.content) if before.type == "html_block" else None
            said = marked.groups() if marked else ()
            found.append(Block(page, token.map[0] + 1, token.info, token.content, *said))
    assert 2 * len(found) == len(FENCE.findall(text)), f"{page} has fences that are no blocks"
    return found


def inline_of(page: Path) -> list[str]:
    """What stands between backticks in its sentences and tables."""
    tokens = MarkdownIt().enable("table").parse(page.read_text(encoding="utf-8"))
    return [one.content for token in tokens for one in token.children or [] if one.type == "code_inline"]


def commands_of(page: Path) -> list[Block]:
    """Those that a reader would run."""
    return [block for block in blocks_of(page) if block.language in RUNNABLE]
