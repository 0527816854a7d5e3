"""The requests on which a challenger is judged, and those that it could have learned by heart."""

from dataclasses import dataclass, replace

import numpy as np

from loop.fresh.fresh_requests import Flags, FreshRequests, read_fresh
from loop.gate.config import GateConfig
from loop.gate.contestants import Contest, Contestant
from loop.gate.judged.training_log import read_training_log
from loop.gate.judged.unseen import came_later, tests_by_hash
from registry.errors import InvalidInput
from traffic.grouping import unseen_part
from traffic.labelled_prompts import LabelledPrompts

MOST_SUSPECTS = 1000
"""Requests that could have been learned by heart, of which a tau-b is computed."""


@dataclass(frozen=True)
class Evidence:
    """Requests with their answers, all of which can be ranked."""

    judged: FreshRequests
    """None of them trained the challenger, by all that is known, nor the champion if that is said."""
    is_older: Flags
    """Of those that are judged: whether the challenger was made when they had come, or nobody knows."""
    is_sure: Flags
    """Of those that are judged, what it can know least: what came after its data was complete, or where that is little
    all of them."""
    suspects: FreshRequests
    """What it could have learned by heart; none where everything came later."""
    share: float = 1.0
    """Of the requests that came, how many are judged."""
    notes: tuple[str, ...] = ()
    """What must be known of them: sentences."""


def read_evidence(config: GateConfig, contest: Contest) -> Evidence:
    """The newest requests of the journal or the log; without either, the test split of what the challenger learned.

    Raises:
        InvalidInput: the journal or log cannot be used; or there is neither, and the log of the training cannot be had,
            for which a phrase says why.
    """
    return _of_training(config, contest) if config.path is None else _of_fresh(config, contest)


def _of_fresh(config: GateConfig, contest: Contest) -> Evidence:
    found = read_fresh(config)
    assert found.views is not None
    requests = found.take([bool(view.text.strip()) for view in found.views])
    later = came_later(requests, contest.challenger)
    by_hash, notes = _by_hash(requests, contest.challenger)
    is_judged = later | by_hash
    if contest.champion is not None:
        of_champion, more = _by_hash(requests, contest.champion, unknown=True)
        is_judged &= of_champion | came_later(requests, contest.champion)
        notes += more
    is_sure = is_judged & later if (is_judged & later).sum() >= config.least_requests else is_judged
    left = len(requests) - int(is_judged.sum())
    said = f"Of {requests.where}, {left:,} may have trained one of the rankers (they came before it was made, and their"
    notes += (f"{said} hash does not say test), and are not judged on.",) if left else ()
    judged = replace(requests.take(is_judged), where=f"{int(is_judged.sum()):,} of {requests.where}")
    is_older = ~(judged.arrival_s >= contest.challenger.made_s)
    suspects = requests.take(np.flatnonzero(~later & ~is_sure)[-MOST_SUSPECTS:])
    share = len(judged) / max(len(requests), 1)
    return Evidence(judged, is_older, is_sure[is_judged], suspects, share, (*found.notes, *notes))


def _by_hash(requests: FreshRequests, contestant: Contestant, unknown: bool = False) -> tuple[Flags, tuple[str, ...]]:
    """Those that the hash kept from it; `unknown` is what holds where its card does not say how."""
    ranker = contestant.ranker
    is_test = None if ranker is None else tests_by_hash(requests, ranker.card)
    if is_test is not None:
        return is_test, ()
    flatters = "so they may flatter it" if unknown else "so only those that came after it was made are judged on"
    note = f"Nobody knows which of these requests trained version {contestant.version}, {flatters}."
    return np.full(len(requests), unknown), (note,)


def _of_training(config: GateConfig, contest: Contest) -> Evidence:
    source, log = read_training_log(contest.challenger)
    grouped_by = {who: ranker.card.grouped_by for who, ranker in contest.rankers.items()}
    unseen = unseen_part(source, log, grouped_by, "test", config.max_requests, config.seed)
    where = f"{len(unseen.prompts):,} test prompts of {source.lengths.name}, on which version"
    judged = as_fresh(unseen.prompts, f"{where} {contest.challenger.version} was trained", log.digest)
    suspects = as_fresh(log.part("train", MOST_SUSPECTS, config.seed), "its training prompts", log.digest)
    everyone = np.ones(len(judged), dtype=np.bool_)
    return Evidence(judged, everyone, everyone, suspects, notes=unseen.notes)


def as_fresh(prompts: LabelledPrompts, where: str, digest: str) -> FreshRequests:
    """Labels as requests of which nobody knows when they came."""
    unknown = np.full(len(prompts), np.nan)
    return FreshRequests(
        views=prompts.views,
        output_tokens=prompts.output_tokens,
        is_censored=prompts.is_censored,
        arrival_s=unknown,
        groups=prompts.groups,
        tenants=[None] * len(prompts),
        prompt_tokens=prompts.prompt_tokens,
        predicted_tokens=unknown,
        correction=unknown,
        quantile=unknown,
        ranker_version=[None] * len(prompts),
        placed_by=[None] * len(prompts),
        fail_open_reason=[None] * len(prompts),
        where=where,
        digest=digest,
    )


def can_be_ordered(requests: FreshRequests) -> bool:
    """Whether two of them are surely of different lengths."""
    ended = requests.output_tokens[~requests.is_censored]
    return len(ended) > 0 and bool(ended.min() < requests.output_tokens.max())


def require_order(requests: FreshRequests) -> None:
    """Refuse requests that no order can be told from.

    Raises:
        InvalidInput: a phrase that says why.
    """
    if not can_be_ordered(requests):
        raise InvalidInput(f"{requests.where} hold no two answers that surely differ in length")
