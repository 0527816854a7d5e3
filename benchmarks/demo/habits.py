"""The habits of the demo's LLM: how long it makes its answers. Another version of it has others, while it is served."""

from collections.abc import Mapping
from pathlib import Path

from benchmarks.demo.law_tables import KINDS, UPDATED_KINDS, Kind

MARKER = "updated"
"""A file in the LLM's folder. Where it is, requests that come from then on are answered by the next version."""


def habits_of(llm: Path) -> Mapping[str, Kind]:
    """By which table the LLM in this folder answers now."""
    return UPDATED_KINDS if (llm / MARKER).exists() else KINDS


def update(llm: Path) -> None:
    """Put the next version in the place of the LLM in this folder, also of one that is being served."""
    (llm / MARKER).touch()


def restore(llm: Path) -> None:
    """Bring the first version back."""
    (llm / MARKER).unlink(missing_ok=True)
