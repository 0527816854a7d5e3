"""Requests in the order in which they are sent, read from a log or made up. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from registry.errors import InvalidInput
from registry.request_features import RequestView
from traffic.labelled_prompts import views_of
from traffic.texts import taken


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Requests in the order in which they are sent: the one form of a batch, read from a log or made up."""

    arrival_s: npt.NDArray[np.float64]
    """When each is sent, from 0."""
    prompt_tokens: npt.NDArray[np.int64]
    output_tokens: npt.NDArray[np.int64]
    prompts: Sequence[str] | None = None
    """None where only lengths are known."""
    asked: Sequence[str | None] | None = None
    """What is asked for beside each prompt (`traffic/cells/asked.py`); None where the log says nothing of it."""
    token_ids: tuple[tuple[int, ...], ...] | None = None
    """Of the prompts, where prefixes are cached."""
    notes: tuple[str, ...] = ()
    """What was done to the log: sentences."""
    numbers: npt.NDArray[np.int64] | None = None
    """Which request of the batch that some were taken from each one is; unless given, they are counted."""
    start_s: float = 0.0
    """What the clock of the log said at 0: seconds since 1970, where it has dates."""
    clusters: npt.NDArray[np.int64] | None = None
    """Which of them are no evidence beside each other (one session, one prompt drawn again); None where all are."""

    @property
    def views(self) -> list[RequestView] | None:
        """What a ranker reads of each; None where there are no prompts."""
        return None if self.prompts is None else views_of(self.prompts, self.asked)

    @property
    def request_numbers(self) -> npt.NDArray[np.int64]:
        """Of each request; it keeps its number when it is sent again, at another place."""
        return np.arange(len(self)) if self.numbers is None else self.numbers

    def __len__(self) -> int:
        return len(self.output_tokens)

    @property
    def rate_per_s(self) -> float:
        """Mean requests per second; infinite where all came at once."""
        return float((len(self) - 1) / self.arrival_s[-1]) if self.arrival_s[-1] > 0 else float("inf")

    def that_fit(self, most_tokens: int) -> Self:
        """The requests whose prompt and answer together are no longer, from 0 again; what is left out is noted.

        Raises:
            InvalidInput: fewer than two are left.
        """
        fits = self.prompt_tokens + self.output_tokens <= most_tokens
        if fits.all():
            return self
        if fits.sum() < 2:
            raise InvalidInput(
                f"at least two requests must fit the engine, but only {fits.sum()} of {len(self)} have at most"
                f" {most_tokens} tokens; give a larger max_model_len or kv_cache_tokens."
            )
        note = f"{len(self) - fits.sum():,} requests longer than {most_tokens:,} tokens were left out."
        return replace(self.take(np.flatnonzero(fits))._from_zero(), notes=(*self.notes, note))

    def window(self, start: int, stop: int) -> Self:
        """Some consecutive requests, from 0 again."""
        return self.take(np.arange(len(self))[start:stop])._from_zero()

    def take(self, kept: npt.NDArray[np.int64]) -> Self:
        """The requests at these places, in this order, each with its arrival as it is."""
        return replace(
            self,
            arrival_s=self.arrival_s[kept],
            prompt_tokens=self.prompt_tokens[kept],
            output_tokens=self.output_tokens[kept],
            prompts=None if self.prompts is None else taken(self.prompts, kept),
            asked=None if self.asked is None else [self.asked[place] for place in kept.tolist()],
            token_ids=None if self.token_ids is None else tuple(self.token_ids[one] for one in kept),
            numbers=self.request_numbers[kept],
            clusters=None if self.clusters is None else self.clusters[kept],
        )

    def sent_at(self, times_s: npt.NDArray[np.float64]) -> Self:
        """The same requests at other times, one each."""
        return replace(self, arrival_s=times_s)

    def _from_zero(self) -> Self:
        first_s = float(self.arrival_s[0])
        return replace(self, arrival_s=self.arrival_s - first_s, start_s=self.start_s + first_s)
