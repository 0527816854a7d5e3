"""What waiting requests are ordered by: the seconds of work that they are where prices are known, else their length."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from statistics import fmean
from typing import Any, Literal

from registry.artefact.card import RankerCard
from registry.artefact.length_distribution import LengthDistribution, Mixture
from serving.request_stages import Size
from serving.work.price import TokenPrice

logger = logging.getLogger(__name__)

LARGE_QUANTILE = 0.75
"""The median of the upper half of all requests."""
NO_PRICE = (
    "The queue is ordered by the predicted length of answers, and prompts count for nothing in it, because PARS_COST is"
    " not set: give what a step of this engine costs (`mlflow run . --env-manager local -e measure-engine`)."
)
NO_PAIRS = (
    "The queue is ordered by the predicted length of answers in spite of PARS_COST, because the ranker of %s does not"
    " know which prompts come with which answers, as none of 0.1.0 does: train it anew to order by work."
)
BY_WORK = (
    "The queue is ordered by work: %.3g ms a token of the prompt, %.3g ms a token of the answer and %.3g ms a token in"
    " context that one of the answer reads."
)


@dataclass(frozen=True)
class QueueOrder:
    """The order of an engine's queue: where a request stands among what its rankers were validated on."""

    cards: tuple[RankerCard, ...]
    """Of the rankers that are served now, each with the same weight; at least one."""
    price: TokenPrice | None = None
    """None where nobody has measured what the engine's steps cost."""

    @cached_property
    def by(self) -> Literal["work", "length"]:
        """What it goes by. Seconds and tokens cannot stand in one queue, so one card without pairs decides for all."""
        has_work = self.price is not None and all(card.joint is not None for card in self.cards)
        return "work" if has_work else "length"

    def quantile(self, output_tokens: float, size: Size) -> float:
        """The place of a request whose answer is predicted to have so many tokens, 0 to 1; its cap caps them."""
        output_tokens = _capped(output_tokens, size)
        if self.by == "length":
            return self._lengths.quantile(output_tokens)
        return fmean(
            work.quantile(self._work_s(card.distribution.banded(output_tokens), size))
            for card, work in zip(self.cards, self._work, strict=True)
        )

    def work_s(self, output_tokens: float, size: Size) -> float | None:
        """The work of such a request in seconds; None where the order is by length."""
        return None if self.by == "length" else self._work_s(_capped(output_tokens, size), size)

    def median_quantile(self, size: Size) -> float:
        """The place of a request without a ranker: of the median answer, and the work of its own prompt."""
        return self.quantile(self._lengths.median_tokens, size)

    def large_quantile(self, size: Size) -> float:
        """The place of a request that is too large to be read.

        By work it goes where a median answer and its own prompt belong. But long requests have long answers more often
        than not, and nobody shall gain a place by growing: so it goes at least where the middle of the longer half
        goes, be that half another target LLM's. What a limit of tokens caps, it caps.
        """
        at_most = 1.0 if size.cap_tokens is None else self.quantile(size.cap_tokens, size)
        return max(min(LARGE_QUANTILE, at_most), self.median_quantile(size))

    def log(self) -> None:
        """Say what it goes by, and why."""
        if self.price is None:
            logger.info(NO_PRICE)
        elif self.by == "length":
            logger.warning(NO_PAIRS, ", ".join(card.target_llm for card in self.cards if card.joint is None))
        else:
            logger.info(BY_WORK, *(1000 * seconds for seconds in asdict(self.price).values()))

    def _work_s(self, output_tokens: float, size: Size) -> float:
        assert self.price is not None
        return self.price.work_s(self._prompt_tokens(size), output_tokens)

    def _prompt_tokens(self, size: Size) -> float:
        """As counted, else estimated from the text, else those of the middle prompt."""
        if size.prompt_tokens is not None:
            return size.prompt_tokens
        return self._median_prompt_tokens if size.characters is None else size.characters * self._tokens_per_character

    @cached_property
    def _median_prompt_tokens(self) -> float:
        return fmean(card.joint.median_prompt_tokens for card in self.cards if card.joint)

    @cached_property
    def _tokens_per_character(self) -> float:
        return fmean(card.joint.tokens_per_character for card in self.cards if card.joint)

    @cached_property
    def _lengths(self) -> Mixture:
        return Mixture(tuple(card.distribution for card in self.cards))

    @cached_property
    def _work(self) -> tuple[LengthDistribution, ...]:
        assert self.price is not None
        found = (card.distribution_of_work(self.price.work_s) for card in self.cards)
        return tuple(one for one in found if one is not None)


class CurrentOrder:
    """The order of an engine while its rankers and prices change; says what it goes by whenever that is another."""

    def __init__(self) -> None:
        self._price: TokenPrice | None = None
        self._order: QueueOrder | None = None
        self._said: tuple[str, TokenPrice | None] | None = None

    def go_by_work(self, price: TokenPrice) -> None:
        """Order by what requests cost at these prices, from now on."""
        self._price, self._order = price, None

    def of(self, cards: tuple[RankerCard, ...]) -> QueueOrder | None:
        """The order by rankers with these cards; None if there are none."""
        if not cards:
            return None
        order = self._order
        if order is None or order.cards != cards:  # after a swap; two threads may both come here, to the same end
            self._order = order = QueueOrder(cards, self._price)
            self._say(order)
        return order

    def _say(self, order: QueueOrder) -> None:
        if self._said != (order.by, order.price):
            self._said = (order.by, order.price)
            order.log()

    def state(self, order: QueueOrder | None) -> Mapping[str, Any]:
        """What an order goes by and the prices that are known, for an operator; as JSON."""
        price = None if self._price is None else asdict(self._price)
        return {"order_by": "length" if order is None else order.by, "price": price}


def _capped(output_tokens: float, size: Size) -> float:
    return output_tokens if size.cap_tokens is None else min(output_tokens, size.cap_tokens)
