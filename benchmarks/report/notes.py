"""Sentences that several pages share: on patience, on what orders go by, and on what placed requests. Pure."""

from typing import Literal

import pandas as pd

from benchmarks.policies.titles import figure
from serving.work.price import TokenPrice

UNLESS_NAMED = " unless its name says another (@SECONDS)"
"""Which order has another patience, where policies are given as NAME@SECONDS."""


def oracle_patience(answers: pd.DataFrame, patience_s: float, but: str = "") -> list[str]:
    """A sentence: the oracle has no more patience than a ranker; `but` says which order has another. None without it.

    Its policies may have more words in their names (`oracle round_robin` of a fleet).
    """
    if not any(str(policy).startswith("oracle") for policy in answers.policy.unique()):
        return []
    return [
        f"Every order by places has a patience of {patience_s:g} s{but}, the oracle too: it is the limit for any ranker"
        " at this patience, and what parts a ranker from it is what the ranker does not know."
    ]


def ordered_by(order_by: Literal["length", "work"], price: TokenPrice | None) -> str:
    """A sentence: by what rankers and their like go, and at which price. None is known where they go by length."""
    if order_by == "length" or price is None:
        return "Rankers, noise and the control order by the predicted length of the answer alone (order_by=length)."
    context = f" and {figure(1e6 * price.context_token_s)} µs a token in context" if price.context_token_s else ""
    return (
        "Rankers, noise and the control order by work, what a request costs the engine:"
        f" {figure(1e3 * price.prompt_token_s)} ms a token of the prompt and {figure(1e3 * price.output_token_s)} ms a"
        f" token of the predicted answer{context}."
        " oracle goes by true lengths, oracle_work by true work, dealt_work by true prompts and dealt lengths, rivals"
        " by what they predict of lengths."
    )


def placements(answers: pd.DataFrame) -> list[str]:
    """A sentence for each policy whose places had to be found: which share of its requests had whose place."""
    if "placed_by" not in answers:  # answers of no simulation
        return []
    shares = answers.groupby("policy", sort=False).placed_by.value_counts(normalize=True)
    return [
        f"{policy}: {_share(one, 'instant')} of the requests went on with the place of the instant tier,"
        f" {_share(one, 'encoder')} with the encoder's, and {_share(one, 'median')} with the median's, since neither"
        " had read them in time."
        for policy, one in shares.groupby("policy", sort=False)
        if "known" not in one.droplevel(0)
    ]


def _share(shares: pd.Series, placed_by: str) -> str:
    return f"{shares.droplevel(0).get(placed_by, 0.0):.1%}"
