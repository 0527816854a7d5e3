"""What the page of troubleshooting quotes must be what the code says."""

import ast
import re
from collections.abc import Iterator

from tests.servers import PROJECT
from tests.test_rooms import ROOMS

PAGE = PROJECT / "docs" / "troubleshooting.md"
QUOTE = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)
FILLED_IN = re.compile(r"%[-.\d]*[a-z]|\{\w+\}|\\\d|\\g<0>")
"""What logging, `str.format` and `re.sub` fill in."""
BLANK = "\0"


def test_every_quoted_sentence_stands_in_the_code() -> None:
    quotes = QUOTE.findall(PAGE.read_text(encoding="utf-8"))
    files = [path for room in ROOMS for path in (PROJECT / room).rglob("*.py")]
    said = [one for path in files for one in sentences(ast.parse(path.read_text(encoding="utf-8")))]
    assert len(quotes) > 70
    assert [quote for quote in quotes if not is_said(quote, said)] == []


def test_a_sentence_that_nobody_says_is_found() -> None:
    said = list(sentences(ast.parse('raise ValueError(f"a log must hold {n} rows, but {path} is empty.")')))
    assert is_said("a log must hold ... rows, but ... is empty.", said)
    assert is_said("... rows, but ...", said)
    assert not is_said("a log must hold ... rows, but ... is full.", said)
    assert not is_said("a log must ... hold", said)


def is_said(quote: str, said: list[str]) -> bool:
    """Three dots stand for what is filled in; a part of a sentence may be quoted."""
    parts = [re.escape(part) for part in quote.split("...")]
    pattern = re.compile(rf"[^{BLANK}]*?{BLANK}[^{BLANK}]*?".join(parts) if len(parts) > 1 else parts[0])
    return any(pattern.search(one) for one in said)


def sentences(tree: ast.AST) -> Iterator[str]:
    """All texts of a file with a blank where something is filled in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield BLANK + "".join(str(one.value) if isinstance(one, ast.Constant) else BLANK for one in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield BLANK + FILLED_IN.sub(BLANK, node.value)
