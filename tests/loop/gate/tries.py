"""How often the gate lets an equally good challenger through, and a shuffled one: `python -m tests.loop.gate.tries`.

With --rankers (folders of rankers of one target LLM that differ in nothing but their seed) and --lengths their own
predictions of a log's test prompts are drawn from, else the truth with noise of equal size. Neither needs a registry.
"""

import argparse
from collections.abc import Iterator, Sequence
from itertools import permutations
from pathlib import Path

import numpy as np

from loop.fresh.fresh_requests import FreshRequests, Values
from loop.gate.checks.order_checks import order_checks
from loop.gate.checks.scored import Scored, scored
from loop.gate.config import GateConfig
from loop.gate.judged.judged_requests import as_fresh
from registry.ranker import Ranker
from traffic.length_log import LengthLogSource, read_length_log

TAU_B = 0.6
SHARED_NOISE = 0.9
"""Of the variance of a ranker's error, what another one of another seed errs by, too: about what rankers trained on
4,000 prompts of Alpaca share."""
CONFIG = GateConfig(target_llm="tries", simulated_tokens=0)


def noisy_pair(number: int, seed: int, shared: float = SHARED_NOISE) -> tuple[FreshRequests, Scored, Scored]:
    """Requests, and two rankers that know as much of them as each other: the truth with noise of equal size."""
    rng = np.random.default_rng([seed, 9])
    correlation = np.sin(np.pi * TAU_B / 2)  # Greiner's relation
    truth, common, *own = rng.standard_normal((4, number))
    errors = [np.sqrt(shared) * common + np.sqrt(1 - shared) * one for one in own]
    known = [correlation * truth + np.sqrt(1 - correlation**2) * one for one in errors]
    return requests_of(_tokens(truth)), *(alike(_tokens(correlation * one)) for one in known)


def alike(tokens: Values) -> Scored:
    """A ranker whose tiers say the same."""
    return Scored({"encoder": tokens, "instant": tokens}, {"encoder": 0.0, "instant": 0.0})


def requests_of(output_tokens: Values) -> FreshRequests:
    """Requests with answers of these lengths, of which nothing else is known."""
    unknown, nobody = np.full(len(output_tokens), np.nan), [None] * len(output_tokens)
    return FreshRequests(
        views=None,
        output_tokens=output_tokens,
        is_censored=np.zeros(len(output_tokens), dtype=np.bool_),
        arrival_s=unknown,
        groups=[str(number) for number in range(len(output_tokens))],
        tenants=nobody,
        prompt_tokens=unknown,
        predicted_tokens=unknown,
        correction=unknown,
        quantile=unknown,
        ranker_version=nobody,
        placed_by=nobody,
        fail_open_reason=nobody,
        where="made-up requests",
        digest="",
    )


def is_let_through(requests: FreshRequests, challenger: Scored, champion: Scored) -> bool:
    """Whether everything about the order is as required."""
    checked = order_checks(CONFIG, requests, {"challenger": challenger, "champion": champion})
    return all(one.is_met for one in checked.findings)


def _tokens(log_tokens: Values) -> Values:
    return np.asarray(np.maximum(1, np.round(np.exp(5 + log_tokens))))


def real_pairs(
    folders: Sequence[Path], source: LengthLogSource, number: int, tries: int
) -> Iterator[tuple[FreshRequests, Scored, Scored]]:
    """Draws of the log's test prompts, and of two of the rankers."""
    requests = as_fresh(read_length_log(source).part("test"), "test prompts", "")
    said = [scored(folder.name, Ranker.load(folder), requests) for folder in folders]
    pairs = [*permutations(said, 2)]
    for seed in range(tries):
        drawn = np.random.default_rng([seed, 9]).permutation(len(requests))[:number]
        yield requests.take(drawn), *(_of(one, drawn) for one in pairs[seed % len(pairs)])


def _of(one: Scored, drawn: "np.ndarray") -> Scored:
    return Scored({tier: tokens[drawn] for tier, tokens in one.tokens.items()}, one.unreadable)


def shuffled(one: Scored, seed: int) -> Scored:
    """What a ranker trained on shuffled labels says: predictions that belong to others."""
    order = np.random.default_rng(seed).permutation(len(one.tokens["encoder"]))
    return Scored({tier: tokens[order] for tier, tokens in one.tokens.items()}, one.unreadable)


def main() -> None:
    """Print how many of the tries are let through."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rankers", type=Path, nargs="*", default=[])
    parser.add_argument("--lengths", type=Path)
    parser.add_argument("--length-column", default=LengthLogSource.length_column)
    parser.add_argument("--requests", type=int, nargs="*", default=[500, 1000, 2000])
    parser.add_argument("--tries", type=int, default=20)
    given = parser.parse_args()
    for number in given.requests:
        if given.rankers:
            source = LengthLogSource(lengths=given.lengths, length_column=given.length_column)
            pairs = [*real_pairs(given.rankers, source, number, given.tries)]
        else:
            pairs = [noisy_pair(number, seed) for seed in range(given.tries)]
        equal = sum(is_let_through(*one) for one in pairs)
        bad = sum(is_let_through(requests, shuffled(one, 0), other) for requests, one, other in pairs)
        print(f"{number} requests: equally good {equal} of {given.tries}, shuffled {bad} of {given.tries}")  # noqa: T201


if __name__ == "__main__":
    main()
