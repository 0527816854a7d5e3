"""How far an LLM agrees with itself when it answers the same prompts again, and what that leaves for a ranker."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from registry.order.certain_pairs import Values
from registry.request_features import RequestView
from traffic.cells.asked import NOTHING
from traffic.labelled_prompts import LabelledPrompts, view_in
from traffic.length_log import LengthLogSource, read_rows  # the very rows whose medians are the labels
from training.judging.ranking_metrics import kendall_tau_b
from training.judging.statistics.jackknife import blocks_of, left_out_tau_b, tau_interval

Asked = TypeVar("Asked")
"""What was asked more than once."""
PAIRINGS = 10
"""Random choices of samples that are averaged over."""


@dataclass(frozen=True)
class Resampling:
    """Tau-b between two samples of the same prompts, with its 95 % interval, and the limit that follows from it."""

    prompts: int
    """Prompts with at least two answers that ended by themselves."""
    tau_b: float
    low: float
    high: float

    @property
    def metrics(self) -> dict[str, float]:
        """By the names that MLflow knows."""
        values = {"": self.tau_b, "_low": self.low, "_high": self.high}
        return {
            "resampled_prompts": float(self.prompts),
            **{f"resampling_tau_b{suffix}": value for suffix, value in values.items()},
            **{f"tau_b_limit{suffix}": tau_b_limit(value) for suffix, value in values.items()},
        }

    @property
    def sentence(self) -> str:
        """What it says, in words."""
        return (
            f"{self.prompts} of the test prompts were answered at least twice: resampling_tau_b {self.tau_b:.3f}"
            f" (95 % interval {self.low:.3f} to {self.high:.3f}); against one answer each a perfect ranker could"
            f" reach a tau-b of about {tau_b_limit(self.tau_b):.3f}."
        )


def read_samples(source: LengthLogSource, tested: LabelledPrompts) -> dict[RequestView, Values]:
    """Output tokens of every sample of each of these requests, by the rules of `read_length_log` (it keeps the median).

    Answers that were cut are left out: of two lengths that are both only lower bounds nothing can be said.

    Raises:
        InvalidInput: as `read_length_log`.
    """
    samples: dict[RequestView, list[int]] = defaultdict(list)
    wanted, prompts = frozenset(tested.views), frozenset(tested.prompts)
    unsaid = None if tested.asked is None else NOTHING
    for row in read_rows(source):
        if (
            row.prompt in prompts
            and not row.is_censored
            and (view := view_in(row.prompt, row.asked or unsaid)) in wanted
        ):
            samples[view].append(row.output_tokens)
    return {view: np.array(one, dtype=np.float64) for view, one in samples.items()}


def resampling_tau_b(
    samples: Sequence[Values], groups: Sequence[str] | None = None, seed: int = 0
) -> Resampling | None:
    """Tau-b between two random samples of each prompt, the mean over several such pairings; None below two prompts.

    `samples` holds the lengths of each prompt; prompts with fewer than two are left out. The interval is that of a
    jackknife over groups of prompts, each prompt a group unless said.
    """
    kept = [place for place, one in enumerate(samples) if len(one) > 1]
    if len(kept) < 2:
        return None
    rng = np.random.default_rng(seed)
    drawn = [np.array([rng.permutation(samples[place])[:2] for place in kept]) for _ in range(PAIRINGS)]
    blocks = blocks_of(kept if groups is None else [groups[place] for place in kept], seed)
    tau = float(np.mean([kendall_tau_b(one[:, 0], one[:, 1]) for one in drawn]))
    is_cut = np.zeros(len(kept), dtype=np.bool_)
    left_out = np.mean([left_out_tau_b(one[:, 0], one[:, 1], is_cut, blocks) for one in drawn], axis=0)
    low, high = tau_interval(tau, left_out)
    return Resampling(len(kept), tau, low, high)


def tau_b_limit(resampling: float) -> float:
    """Tau-b of a perfect ranker against one noisy sample, from the tau-b between two samples.

    Assumes a Gaussian copula: after some increasing change of scale, two answers to one prompt are the prompt's own
    length plus independent normal noise of one size. Then their correlation r, the reliability, follows from their tau
    by Greiner's relation, r = sin(pi tau / 2) (Kruskal, Ordinal Measures of Association, JASA 53, 1958). The prompt's
    own length, which is all that a ranker can know, correlates sqrt(r) with one answer (Spearman's correction for
    attenuation, American Journal of Psychology 15, 1904), and Greiner's relation leads back: 2 / pi asin(sqrt(r)).
    So the limit lies above the resampling tau. It is for one answer: against a median of several, more can be reached.
    """
    reliability = max(0.0, np.sin(np.pi * resampling / 2))
    return float(2 / np.pi * np.arcsin(np.sqrt(reliability)))


def one_sample_tau_b(scores: Mapping[Asked, float], samples: Mapping[Asked, Values], seed: int = 0) -> float:
    """Tau-b of scores against one random sample of each request, the mean over several draws: what the limit limits."""
    rng = np.random.default_rng(seed)
    values = np.array(list(scores.values()))
    draws = [np.array([rng.choice(samples[prompt]) for prompt in scores]) for _ in range(PAIRINGS)]
    return float(np.mean([kendall_tau_b(values, draw) for draw in draws]))
