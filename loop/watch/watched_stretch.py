"""The answers of a journal by the ranker that placed them, as the detectors of a server would hear them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import isnan
from typing import NamedTuple, cast

import numpy as np

from loop.fresh.fresh_requests import FreshRequests
from registry.artefact.card import RankerCard
from registry.ranker import Tier
from serving.drift.figures import Figures
from serving.drift.target_drift import Block, TargetDrift
from serving.drift.watched_answer import Reference, Watched, WatchedAnswer
from terminal.progress import track

TIERS = ("encoder", "instant")


class Point(NamedTuple):
    """What was known at the end of a block."""

    block: Block
    rolling: Figures
    """Of the last 500 answers."""
    placed_tau_b: float
    """The same tau-b with the running correction."""
    stability_index: float
    correction: float
    """The median over the block's answers, of what their predictions were multiplied by."""


class Raised(NamedTuple):
    """An alarm that began."""

    watched: Watched
    at_s: float
    answers: int
    """So many had come."""


@dataclass
class Stretch:
    """The answers that one ranker placed."""

    version: str
    """Its address in the registry."""
    drift: TargetDrift
    points: list[Point] = field(default_factory=list)
    raised: list[Raised] = field(default_factory=list)
    _corrections: list[float] = field(default_factory=list)
    """Of the block that is not full yet."""

    @property
    def name(self) -> str:
        """What it is called where people read."""
        return self.version.removeprefix("models:/")

    def hear(self, answer: WatchedAnswer) -> None:
        """Take the next answer."""
        self._corrections.append(answer.correction)
        block = self.drift.add(answer)
        if block is not None:
            self._note(block, float(np.median(self._corrections)))
            self._corrections.clear()

    def _note(self, block: Block, correction: float) -> None:
        drift = self.drift
        self.points.append(Point(block, drift.rolling(), drift.placed_tau_b(), drift.stability_index(), correction))
        self.raised += [Raised(watched, block.at_s, block.end) for watched in block.begun]


def stretches(requests: FreshRequests, card_of: Callable[[str], RankerCard | None]) -> list[Stretch]:
    """One for each ranker whose card can be had; the one that placed the last answer comes last.

    Servers may swap at different times, and one goes back to a version, so a ranker's answers need not be in a row.
    """
    found: dict[str, Stretch] = {}
    ranked = [place for place in range(len(requests)) if is_ranked(requests, place)]
    for place in track(ranked, "watch", "answers"):
        version = str(requests.ranker_version[place])
        card = card_of(version)
        if card is None:
            continue
        if (stretch := found.pop(version, None)) is None:
            stretch = Stretch(version, TargetDrift(Reference.of(card)))
        found[version] = stretch
        stretch.hear(_answer(requests, place))
    return list(found.values())


def is_ranked(requests: FreshRequests, place: int) -> bool:
    """Whether a tier of a registered ranker placed a request."""
    return (
        requests.placed_by[place] in TIERS
        and requests.ranker_version[place] is not None
        and not isnan(requests.predicted_tokens[place])
    )


def _answer(requests: FreshRequests, place: int) -> WatchedAnswer:
    correction = float(requests.correction[place])
    return WatchedAnswer(
        predicted_tokens=float(requests.predicted_tokens[place]),
        output_tokens=max(float(requests.output_tokens[place]), 1.0),
        is_censored=bool(requests.is_censored[place]),
        tier=cast(Tier, requests.placed_by[place]),
        correction=1.0 if isnan(correction) else correction,
        at_s=float(requests.arrival_s[place]),
    )
