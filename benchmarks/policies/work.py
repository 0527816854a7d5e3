"""Places by work: what a prompt and its answer cost the engine, in seconds. Pure."""

import numpy as np
import numpy.typing as npt

from benchmarks.policies.places import Values, places
from registry.artefact.length_distribution import LengthDistribution
from serving.work.price import TokenPrice

Tokens = npt.NDArray[np.int64]


def works_s(price: TokenPrice, prompt_tokens: Tokens, output_tokens: Tokens | Values) -> Values:
    """What each request costs the engine, [requests]."""
    return price.work_s(prompt_tokens.astype(float), output_tokens.astype(float))


def work_places(price: TokenPrice, prompt_tokens: Tokens, output_tokens: Tokens) -> Values:
    """Where requests stand among the work of all of them, 0 to 1: what an oracle of prompts and answers knows."""
    return places(works_s(price, prompt_tokens, output_tokens))


def prompt_work_places(price: TokenPrice, prompt_tokens: Tokens, output_tokens: Tokens) -> Values:
    """Where requests stand among the work of all of them, 0 to 1, if every answer is taken for the median one.

    That is what the prompts alone tell an order by work, and so what a control of such an order honestly knows. Of the
    answers, [requests], only the distribution and its median are used.
    """
    work = LengthDistribution.of(works_s(price, prompt_tokens, output_tokens))
    median = np.full(len(prompt_tokens), np.median(output_tokens))
    return work.quantiles(works_s(price, prompt_tokens, median))
