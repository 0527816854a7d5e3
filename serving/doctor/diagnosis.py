"""Checks that never fail themselves, and their lines. Pure but for what the checks do."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from registry.errors import UserError
from registry.secrets import without_passwords

Verdict = Literal["ok", "note", "wrong"]
MARKS: dict[Verdict, str] = {"ok": "ok   ", "note": "note ", "wrong": "WRONG"}


@dataclass(frozen=True)
class Line:
    """What one check found, and what to do about it."""

    what: str
    verdict: Verdict
    found: str
    advice: str = ""

    @property
    def text(self) -> str:
        """The line, without passwords."""
        advice = f" -> {self.advice}" if self.advice else ""
        return without_passwords(f"{MARKS[self.verdict]} {self.what:12} {self.found}{advice}")


Check = Callable[[], Iterable[Line]]


def examine(checks: Sequence[tuple[str, Check]]) -> list[Line]:
    """The lines of all checks, each with its name; one that fails is a line too, and keeps no other from its own."""
    return [line for name, check in checks for line in _lines_of(name, check)]


def report(lines: Sequence[Line]) -> str:
    """All lines, and in the end how many are wrong."""
    wrong = sum(line.verdict == "wrong" for line in lines)
    end = f"{wrong} of {len(lines)} are wrong." if wrong else "Nothing is wrong."
    return "\n".join([*(line.text for line in lines), end])


def _lines_of(name: str, check: Check) -> list[Line]:
    try:
        return list(check())
    except UserError as error:  # one sentence that says what to do
        return [Line(name, "wrong", str(error))]
    except Exception as error:  # whatever a library raises: the kind tells, and a text might hold a password
        return [Line(name, "wrong", f"could not be looked at ({type(error).__name__})")]
