"""The runs of one load as numbers: what each request took, under each policy and in each repeat. Pure."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Values = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]

MIRRORED = ("control", "dealt_work")
"""Every second repeat of these is another order on purpose, the opposite one; what its runs differ by is no noise."""


@dataclass(frozen=True)
class Runs:
    """Requests stand in the order of their numbers, whatever the order of sending was."""

    policies: tuple[str, ...]
    repeats: int
    orders: tuple[Positions, ...]
    """The requests as they were sent, of each pair of repeats: one order and its reverse share their neighbours."""
    clusters: Positions | None
    """From 0, which cluster each request belongs to."""
    answers: pd.DataFrame
    """Sorted by policy, repeat and request."""

    def values(self, name: str) -> Values:
        """A column, [policies x repeats, requests]; the repeats of a policy stand together."""
        return self.answers[name].to_numpy(dtype=np.float64).reshape(len(self.policies) * self.repeats, -1)

    @property
    def are_alike(self) -> npt.NDArray[np.bool_]:
        """Of each policy, whether its repeats should be the same but for noise; all where else one would be alone."""
        alike = np.array([policy not in MIRRORED for policy in self.policies])
        return alike if alike.sum() > 1 else np.ones_like(alike)

    @property
    def requests(self) -> int:
        """How many a run has."""
        return len(self.orders[0])


def runs_of(answers: pd.DataFrame) -> Runs:
    """Of checked answers (`benchmarks/answers.py`) of one load."""
    policies = tuple(str(policy) for policy in answers.policy.unique())
    repeats = sorted(answers.repeat.unique())
    place = answers.policy.map({policy: place for place, policy in enumerate(policies)})
    ordered = answers.assign(place=place, s_per_token=answers.e2e_s / answers.output_tokens)
    ordered = ordered.sort_values(["place", "repeat", "request"], kind="stable", ignore_index=True)
    one_run = ordered.iloc[: len(ordered) // (len(policies) * len(repeats))]
    clusters = np.unique(one_run.cluster, return_inverse=True)[1] if "cluster" in one_run else None
    sent = answers[answers.policy == policies[0]]
    firsts = [repeat for repeat in repeats if repeat // 2 * 2 == repeat or repeat - 1 not in repeats]
    orders = tuple(
        np.searchsorted(one_run.request, sent[sent["repeat"] == repeat].request.to_numpy()) for repeat in firsts
    )
    return Runs(policies, len(repeats), orders, clusters, ordered)
