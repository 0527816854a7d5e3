"""What a page must say of requests that no ranking came to in time. Pure."""

import pandas as pd


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
