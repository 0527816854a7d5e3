"""Sentences that several pages share: on patience where the oracle is the limit, and on what was not ranked. Pure."""

import pandas as pd

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


def fail_opens(answers: pd.DataFrame) -> list[str]:
    """A sentence for each policy with requests that took the median's place; none where nothing failed open."""
    if "failed_open" not in answers:  # answers of no simulation
        return []
    shares = answers.groupby("policy", sort=False).failed_open.mean()
    return [
        f"{policy}: {share:.1%} of the requests took the median's place, because ranking them would have taken longer"
        " than the backlog budget."
        for policy, share in shares.items()
        if share > 0
    ]
