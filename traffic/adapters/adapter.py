"""What an adapter is: how a source is recognised, and how its records become requests."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from traffic.rows.record import Record, Values

Tell = Callable[[str], None]
"""Takes a sentence that a user must know."""


@dataclass(frozen=True)
class Adapter:
    """One source of logs.

    The requests that it makes have the columns of our own logs: `messages` or `prompt`, and what there is of
    `output_tokens`, `prompt_tokens`, `finish_reason`, `arrival_s`, `model` and the parameters of requests.
    """

    source: str
    """Its name, in words."""
    columns: tuple[str, ...]
    """What it reads, where a file has columns."""
    recognises: Callable[[Values], bool]
    """Whether a file whose first record this is comes from there."""
    requests: Callable[[Iterable[Record], Tell], Iterator[Record]]
    """The requests in the records of all its files together."""
