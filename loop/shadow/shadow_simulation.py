"""What a queue would be under the champion's order and the challenger's: the journal's own arrivals, simulated."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.answers import ALONE
from benchmarks.capacity import steady_requests_per_s
from benchmarks.policies.places import places
from benchmarks.policies.ranked import Ranked
from benchmarks.policies.work import work_places
from benchmarks.simulation.engine.order import Order
from benchmarks.simulation.tiers import order_of_tiers
from benchmarks.what_if.config import WhatIfConfig
from benchmarks.what_if.gains import Gain, gain
from benchmarks.what_if.placed import PlacedTraffic, served_places
from benchmarks.what_if.placed_runs import LOG, Simulate, answers_at_loads, answers_of_windows
from benchmarks.what_if.stretches import Stretches, capacity_run, choose, price_of
from benchmarks.what_if.study import WAITS_FROM, waiting_share
from loop.fresh.fresh_requests import FreshRequests
from loop.gate.checks.scored import Scored
from loop.shadow.rivals_on_record import Rival, Rivals
from registry.store import CHALLENGER, CHAMPION
from serving.work.step_cost import StepCost
from traffic.batch import Traffic


@dataclass(frozen=True)
class ShadowSimulation:
    """Of the requests that say when they came, and how long they were."""

    answers: pd.DataFrame
    """fcfs, champion, challenger, oracle and by work oracle_work: as they came (no load), and the busiest stretch at
    every load, `ALONE` among them."""
    traffic: Traffic
    stretches: Stretches

    @property
    def of_log(self) -> pd.DataFrame:
        """The answers as they came."""
        return self.answers[self.answers.study == LOG]

    @property
    def has_waiting(self) -> bool:
        """Whether as they came anything waits."""
        return waiting_share(self.of_log) >= WAITS_FROM

    @property
    def gain(self) -> Gain:
        """What the challenger takes off the champion's mean seconds per token."""
        champion, challenger = (self.of_log[self.of_log.policy == who] for who in (CHAMPION, CHALLENGER))
        return gain(champion, challenger)


def simulate_rivals(
    config: WhatIfConfig,
    cost: StepCost,
    requests: FreshRequests,
    rivals: Rivals,
    scores: Mapping[str, Scored],
    simulate: Simulate,
) -> ShadowSimulation | None:
    """Simulate both beside first come, first served and the truth; None where too few say when they came.

    Raises:
        InvalidInput: fewer than two requests fit the engine.
    """
    known = np.flatnonzero(np.isfinite(requests.arrival_s) & np.isfinite(requests.prompt_tokens))
    if len(known) < 2:
        return None
    traffic = _traffic(requests, known).that_fit(config.engine.longest_request)
    rows = known[traffic.request_numbers]
    (burst,) = simulate([capacity_run(config, cost, traffic)])
    stretches = choose(config, cost, traffic, steady_requests_per_s(burst))
    orders = {one.who: _order(config, cost, traffic, one, scores[one.who], rows) for one in rivals}
    placed = PlacedTraffic(traffic, {"fcfs": Order(), **orders, **_oracles(config, cost, traffic)})
    busiest = placed.window(stretches.peak.start, stretches.peak.stop)
    loads = sorted({ALONE, *config.loads, stretches.peak_load})
    tables = [
        answers_of_windows(config, cost, placed, stretches.windows, simulate),
        answers_at_loads(config, cost, busiest, stretches, loads, simulate),
    ]
    return ShadowSimulation(pd.concat(tables, ignore_index=True), traffic, stretches)


def _traffic(requests: FreshRequests, known: np.ndarray) -> Traffic:
    arrival_s = requests.arrival_s[known]
    return Traffic(
        arrival_s=arrival_s - arrival_s[0],
        prompt_tokens=np.maximum(requests.prompt_tokens[known], 1).astype(np.int64),
        output_tokens=requests.output_tokens[known].astype(np.int64),
        start_s=float(arrival_s[0]),
    )


def _order(
    config: WhatIfConfig, cost: StepCost, traffic: Traffic, rival: Rival, scored: Scored, rows: np.ndarray
) -> Order:
    """As a server with this ranker places them, without a correction."""
    card = rival.ranker.card
    tiers = {
        tier: Ranked(card, card.distribution.quantiles(tokens[rows]), tokens[rows])
        for tier, tokens in scored.tokens.items()
    }
    return order_of_tiers(served_places(config, cost, traffic.prompt_tokens), tiers)


def _oracles(config: WhatIfConfig, cost: StepCost, traffic: Traffic) -> dict[str, Order]:
    orders = {"oracle": Order(quantiles=places(traffic.output_tokens))}
    if config.is_by_work:
        work = work_places(price_of(config, cost), traffic.prompt_tokens, traffic.output_tokens)
        orders["oracle_work"] = Order(quantiles=work)
    return orders
