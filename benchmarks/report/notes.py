"""What a page must say of patience where the oracle is the limit. Pure."""

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
