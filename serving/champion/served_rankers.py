"""The target LLMs that one engine answers as: whose ranker each model name has, and the distribution they share."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from registry.errors import UserError
from registry.ranker import Prediction, Tier
from registry.request_features import Readable, as_view
from serving.champion.ordering_switch import OrderingSwitch
from serving.champion.queue_order import CurrentOrder, QueueOrder
from serving.champion.ranker_sources import Champion
from serving.request_stages import ANY_SIZE, RankerName, Size
from serving.work.price import TokenPrice
from serving.work.step_cost import StepCost

MIDDLE = 0.5
"""The place of every request while nothing tells them apart: among those that arrive from then on, arrival decides. It
is no bare arrival, since that would be ahead of all that wait already and have a place of their own."""


class NoRanker(UserError, RuntimeError):
    """A target LLM has no ranker now; the message says what to do."""


class FollowsChampion(Protocol):
    """Knows the champion of one target LLM as it is now (`serving.champion.follower`)."""

    @property
    def champion(self) -> Champion | None:
        """The one that is served; None if there is none."""

    @property
    def finding(self) -> str:
        """What the last look at the registry came to."""


@dataclass(frozen=True)
class ServedRanker:
    """A champion whose quantiles are places among the answers of all target LLMs of the engine.

    Two of these are equal if they are the same version of the same ranker.
    """

    champion: Champion
    rankers: "EngineRankers"

    @property
    def version(self) -> int | None:
        """The ranker's version in the registry; None if it is not from there."""
        return self.champion.version

    @property
    def target_llm(self) -> str:
        """Whose answers it knows."""
        return self.champion.ranker.card.target_llm

    @property
    def name(self) -> RankerName:
        """What it is called where its predictions are written down."""
        return self.champion.name

    @property
    def has_instant(self) -> bool:
        """Whether it has an instant tier that may be used."""
        return self.champion.instant is not None and self.champion.instant.is_on

    def predict(self, request: Readable, size: Size = ANY_SIZE, tier: Tier = "encoder") -> Prediction:
        """The prediction of one tier for one request; `instant` only where `has_instant`, and in the event loop.

        Raises: what `registry.ranker.Ranker.predict` raises.
        """
        view = as_view(request)
        if tier == "instant":
            assert self.champion.instant is not None
            return self._placed(self.champion.instant.predict(view), size)
        prediction = self.champion.scores.get(view) or self.champion.ranker.predict(view)
        self.champion.scores.put(view, prediction)
        return self._placed(prediction, size)

    def known(self, request: Readable, size: Size = ANY_SIZE) -> Prediction | None:
        """The encoder's prediction for one request, if it has read the same lately."""
        prediction = self.champion.scores.get(as_view(request))
        return None if prediction is None else self._placed(prediction, size)

    def _placed(self, prediction: Prediction, size: Size) -> Prediction:
        """Its predicted length is the ranker's own; its place and its work are of the corrected one."""
        tokens = prediction.predicted_tokens * size.correction
        return replace(
            prediction, quantile=self.rankers.quantile(tokens, size), work_s=self.rankers.work_s(tokens, size)
        )

    def median_quantile(self, size: Size = ANY_SIZE) -> float:
        """The place of a request to this target LLM that cannot be ranked."""
        return self.rankers.quantile(self.champion.ranker.card.distribution.median_tokens, size)


class EngineRankers:
    """Maps model names to rankers. All methods may be called from any thread."""

    def __init__(
        self,
        followers: Mapping[str, FollowsChampion],
        target_of: Mapping[str, str],
        default_model: str,
        switch: OrderingSwitch | None = None,
    ) -> None:
        """Set up the names.

        Args:
            followers: by target LLM; each is asked at each use, so that a swap needs no word here.
            target_of: the target LLM of each model name; empty if the only champion ranks for every name.
            default_model: the name that a request without one means.
            switch: whether requests are ordered now; always, unless given.
        """
        assert followers
        self._followers = followers
        self._target_of = target_of
        self._default_model = default_model
        self._switch = switch or OrderingSwitch(followers)
        self._current_order = CurrentOrder()

    @property
    def target_llms(self) -> Iterable[str]:
        """The target LLMs that are followed."""
        return self._followers.keys()

    def target_of(self, model: str | None) -> str | None:
        """The target LLM whose ranker reads the requests for this model; None if there is none."""
        if not self._target_of:
            return next(iter(self._followers))
        return self._target_of.get(model or self._default_model)

    def is_ordered(self, target_llm: str | None) -> bool:
        """Whether requests to a target LLM (None: to a model without one) are ordered now."""
        return self._switch.is_on(target_llm)

    def has_ranker(self, target_llm: str) -> bool:
        """Whether a ranker is served for a target LLM now. Once there is one, there always is."""
        return self._followers[target_llm].champion is not None

    def ranker(self, target_llm: str) -> ServedRanker:
        """The ranker that is served for a target LLM now.

        Raises:
            NoRanker: there is none.
        """
        champion = self._followers[target_llm].champion
        if champion is None:
            raise NoRanker(f"{target_llm} has no ranker now: promote one, then ask again.")
        return ServedRanker(champion, self)

    def ranker_of(self, model: str | None) -> ServedRanker | None:
        """The ranker that is served for a model name now; None if the name has no target LLM.

        Raises:
            NoRanker: its target LLM has none.
        """
        target_llm = self.target_of(model)
        return None if target_llm is None else self.ranker(target_llm)

    @property
    def order_state(self) -> Mapping[str, Any]:
        """What the queue is ordered by, for an operator; as JSON."""
        return self._current_order.state(self.order)

    def state(self, target_llm: str) -> Mapping[str, Any]:
        """How the requests to a target LLM are ranked now, for an operator; as JSON."""
        follower = self._followers[target_llm]
        return {
            "ordering": "on" if self.is_ordered(target_llm) else "off",
            "source": follower.champion.source if follower.champion else "none",
            "ranker_version": follower.champion.version if follower.champion else None,
            "instant_tier": follower.champion.instant_state if follower.champion else "missing",
            "registry": follower.finding,
        }

    def order_by_cost(self, cost: StepCost | None, vllm_config: Any) -> None:
        """Order by what requests cost a running engine, from now on; by length if nobody knows what a step costs."""
        if cost is not None:
            self._current_order.go_by_work(TokenPrice.of_engine(cost, vllm_config))
        _ = self.order  # says what it goes by

    def quantile(self, tokens: float, size: Size = ANY_SIZE) -> float:
        """The place of a request whose answer is predicted to have so many tokens, among all of the engine, 0 to 1."""
        return MIDDLE if self.order is None else self.order.quantile(tokens, size)

    def work_s(self, tokens: float, size: Size = ANY_SIZE) -> float | None:
        """What such a request costs the engine, in seconds; None where the order is by length."""
        return None if self.order is None else self.order.work_s(tokens, size)

    def median_quantile(self, size: Size = ANY_SIZE) -> float:
        """The place of a request without a ranker."""
        return MIDDLE if self.order is None else self.order.median_quantile(size)

    def large_quantile(self, size: Size = ANY_SIZE) -> float:
        """The place of a request that is too large to be read."""
        return MIDDLE if self.order is None else self.order.large_quantile(size)

    @property
    def order(self) -> QueueOrder | None:
        """What the queue is ordered by, by the rankers that are served now; None if there are none."""
        champions = [one.champion for one in self._followers.values()]
        return self._current_order.of(tuple(one.ranker.card for one in champions if one is not None))
