"""The log that a version was trained on, found by its run, if it is still there and still the same."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from loop.gate.contestants import Contestant
from registry.errors import InvalidInput
from traffic.length_log import LengthLog, LengthLogSource, read_length_log


def read_training_log(contestant: Contestant) -> tuple[LengthLogSource, LengthLog]:
    """Read it again.

    Raises:
        InvalidInput: it cannot be had any more; a phrase says why.
    """
    if "lengths" not in contestant.params:
        raise InvalidInput("no run says on which log it was trained")
    source = _source(contestant.params)
    if not source.lengths.exists():
        raise InvalidInput(f"the log that it was trained on, {source.lengths}, is not there any more")
    log = read_length_log(source)
    assert contestant.ranker is not None
    if log.digest != contestant.ranker.card.data_digest:
        raise InvalidInput(f"the log that it was trained on, {source.lengths}, holds other rows by now")
    return source, log


def _source(params: Mapping[str, str]) -> LengthLogSource:
    """The settings of the log, of those that a run shows."""
    kinds: dict[str, Callable[[str], Any]] = {"lengths": Path, "bad_row_share": float}
    names = [one.name for one in fields(LengthLogSource) if one.name in params]
    return LengthLogSource(**{name: kinds.get(name, str)(params[name]) for name in names})
