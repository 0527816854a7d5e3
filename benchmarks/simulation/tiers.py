"""The orders of a ranker, or of noise that stands for one: which tier finds a place, and what the place is then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from benchmarks.policies.cap import with_caps
from benchmarks.policies.places import Values, instant_quantiles, mirrored, noisy_quantiles, shuffled_places
from benchmarks.policies.ranked import Ranked, ranked, ranked_by_all
from benchmarks.policies.served_places import ServedPlaces, dealt_work_places
from benchmarks.policies.work import Tokens
from benchmarks.simulation.config import SimulationConfig
from benchmarks.simulation.engine.order import Order
from registry.errors import InvalidInput
from registry.ranker import Tier
from registry.request_features import RequestView
from registry.store import load_ranker
from traffic.batch import Traffic


def order_of_noise(served: ServedPlaces, output_tokens: Tokens, tau_b: float, instant_tau_b: float, seed: int) -> Order:
    """Of noise that stands for a ranker whose two tiers have these tau-b.

    Raises:
        InvalidInput: the instant tier would know more than the encoder.
    """
    encoder = noisy_quantiles(output_tokens, tau_b, seed)
    instant = instant_quantiles(encoder, tau_b, instant_tau_b, seed)
    return Order(
        instant=served.of_places(instant, output_tokens, encoder), encoder=served.of_places(encoder, output_tokens)
    )


def order_of_tiers(served: ServedPlaces, tiers: Mapping[Tier, Ranked]) -> Order:
    """Of what the tiers of a ranker say; by the encoder alone where that is all it has."""
    found = {tier: one.places(served) for tier, one in tiers.items()}
    return Order(instant=found.get("instant"), encoder=found["encoder"])


NO_PAIRS = (
    "an order by work needs a ranker that knows which prompts come with which answers, but {} does not, as none of"
    " 0.1.0 does; train it anew, or give order_by=length."
)


@dataclass(frozen=True)
class Tiers:
    """Makes places of predictions as the server that is simulated would."""

    config: SimulationConfig
    traffic: Traffic

    @cached_property
    def served(self) -> ServedPlaces:
        """What the server knows of the requests; the true lengths among it where a leak is planted."""
        return ServedPlaces(
            prompt_tokens=self.traffic.prompt_tokens,
            price=self.config.token_price if self.config.order_by == "work" else None,
            cap_tokens=self.traffic.output_tokens if self.config.cap_by_max_tokens == "on" else None,
        )

    @cached_property
    def of_pars(self) -> Order:
        """As served, of the ranker that is given."""
        return self.of_ranker(self.config.ranker or "", "pars")

    @cached_property
    def of_noise(self) -> Order:
        """As served, of noise that stands for a ranker with both tiers."""
        config = self.config
        return order_of_noise(
            self.served, self.traffic.output_tokens, config.tau, config.noise_instant_tau, config.seed
        )

    def order(self, kind: str) -> Order:
        """`pars` or `noise` as served; of the one, or without a ranker of the other, a tier alone, or all beforehand.

        Raises:
            InvalidInput: there is no instant tier, or there are no prompts.
            RegistryError, InvalidRanker: the ranker cannot be used.
        """
        both = self.of_noise if kind == "noise" or self.config.ranker is None else self.of_pars
        if kind == "instant" and both.instant is None:
            raise InvalidInput(
                f"instant goes by a ranker's instant tier, but {self.config.ranker} has none; train it anew, or leave"
                " instant out of policies."
            )
        of = {
            "instant": Order(instant=both.instant),
            "encoder": Order(encoder=both.encoder),
            "beforehand": Order(quantiles=both.encoder),
        }
        return of.get(kind, both)

    def of_ranker(self, uri: str, name: str) -> Order:
        """As served, of a ranker.

        Raises:
            InvalidInput: there are no prompts.
            RegistryError, InvalidRanker: the ranker cannot be used.
        """
        return order_of_tiers(self.served, ranked_by_all(load_ranker(uri), self._requests(name), name))

    def of_control(self) -> tuple[Order, Order]:
        """The control and its mirror image: of a ranker of shuffled labels, or of lengths that are dealt out.

        Their places are known beforehand: what is found late would hide a part of a leak.
        """
        if self.config.control:
            found = ranked(load_ranker(self.config.control), self._requests("control"), "control")
            if self.served.price is not None and found.card.joint is None:
                raise InvalidInput(NO_PAIRS.format(self.config.control))
            return Order(quantiles=found.places(self.served)), Order(quantiles=found.mirrored.places(self.served))
        dealt = shuffled_places(self.traffic.output_tokens, self.config.seed)
        return self._of_lengths(dealt), self._of_lengths(mirrored(dealt))

    def of_dealt_work(self) -> tuple[Order, Order]:
        """What a control by work is held against, and its mirror image: true prompts, and another deal of lengths."""
        places = dealt_work_places(
            self.config.token_price, self.traffic.prompt_tokens, self.traffic.output_tokens, self.config.seed
        )
        return Order(quantiles=places[0]), Order(quantiles=places[1])

    def _of_lengths(self, quantiles: Values) -> Order:
        return Order(quantiles=self.served.of_places(quantiles, self.traffic.output_tokens))

    def _requests(self, name: str) -> Sequence[RequestView]:
        views = self.traffic.views
        if views is None:
            raise InvalidInput(f"{name} orders by a ranker, which reads prompts, but the traffic has none; take noise.")
        return with_caps(views, self.served.cap_tokens)
