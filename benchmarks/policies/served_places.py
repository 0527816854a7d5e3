"""From predicted answers to places, as a server makes them: by their lengths, or by what requests cost. Pure."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from benchmarks.policies.cap import capped
from benchmarks.policies.places import Values, at_places, mirrored, shuffled_places
from benchmarks.policies.work import Tokens, works_s
from registry.artefact.length_distribution import LengthDistribution
from serving.work.price import TokenPrice

OrderBy = Literal["length", "work"]
OTHER_DEAL = 1_000_000
"""Away from the seed of the control."""


@dataclass(frozen=True, kw_only=True)
class ServedPlaces:
    """What a server knows of some requests beside its predictions of their answers."""

    prompt_tokens: Tokens
    price: TokenPrice | None
    """By which requests are ordered by work; by the length of their answers without one."""
    cap_tokens: Tokens | None = None
    """The longest answer that each can get, where the server caps its predictions; where lengths are imposed that is
    the truth, and a leak."""

    def of_places(self, quantiles: Values, output_tokens: Tokens, encoder: Values | None = None) -> Values:
        """Of predictions that are the lengths at these places among all answers.

        Those of an instant tier stand in the distribution that the places of its `encoder` make.
        """
        if self.price is None:
            return self.by_length(quantiles, LengthDistribution.of(output_tokens))
        believed = at_places(quantiles if encoder is None else encoder, output_tokens)
        works = LengthDistribution.of(works_s(self.price, self.prompt_tokens, believed))
        return self.by_work(self.price, at_places(quantiles, output_tokens), works)

    def by_length(self, quantiles: Values, lengths: LengthDistribution) -> Values:
        """Of predictions at these places in the distribution of all predicted lengths."""
        return quantiles if self.cap_tokens is None else capped(quantiles, lengths, self.cap_tokens)

    def by_work(self, price: TokenPrice, predicted_tokens: Values, works: LengthDistribution) -> Values:
        """Of predictions, in the distribution of what requests cost."""
        known = predicted_tokens if self.cap_tokens is None else np.minimum(predicted_tokens, self.cap_tokens)
        return works.quantiles(works_s(price, self.prompt_tokens, known))


def dealt_work_places(
    price: TokenPrice, prompt_tokens: Tokens, output_tokens: Tokens, seed: int
) -> tuple[Values, Values]:
    """Places by the work of true prompts and of answers dealt out at random, and with the opposite answers.

    That is what a control of an order by work honestly knows; it is another deal than the control's own.
    """
    served = ServedPlaces(prompt_tokens=prompt_tokens, price=price)
    dealt = shuffled_places(output_tokens, seed + OTHER_DEAL)
    return served.of_places(dealt, output_tokens), served.of_places(mirrored(dealt), output_tokens)
