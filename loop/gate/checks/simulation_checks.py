"""What the challenger would bring in a queue: the busiest of the judged requests, simulated as they came."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.policies.ranked import Ranked
from benchmarks.policies.served_places import ServedPlaces
from benchmarks.policies.work import works_s
from benchmarks.simulation.engine.order import Order
from benchmarks.simulation.engine.run import Run
from benchmarks.simulation.tiers import order_of_tiers
from benchmarks.what_if.gains import gain
from benchmarks.what_if.placed_runs import Simulate, noted
from benchmarks.what_if.study import WAITS_FROM
from benchmarks.what_if.windows import FEWEST_REQUESTS, Demand, busiest_window
from loop.fresh.fresh_requests import FreshRequests
from loop.gate.checks.checked import Checked
from loop.gate.checks.scored import Scored
from loop.gate.config import GateConfig
from registry.artefact.card import RankerCard
from registry.promotion import Difference, not_clearly_worse
from serving.work.price import TokenPrice
from serving.work.step_cost import StepCost
from traffic.batch import Traffic

GAIN = "simulated_gain"


def simulation_checks(
    config: GateConfig,
    requests: FreshRequests,
    share: float,
    scores: Mapping[str, Scored],
    cards: Mapping[str, RankerCard],
    simulate: Simulate,
) -> Checked:
    """Under the orders of both rankers, on an engine of the settings; where nothing waits, that is said.

    `share` of the requests that came are judged, so gaps are shortened by as much: the engine is as busy as it was.
    """
    if not config.simulated_tokens:
        return Checked(notes=("Nothing was simulated, as simulated_tokens is 0.",))
    known = np.flatnonzero(~np.isnan(requests.arrival_s) & ~np.isnan(requests.prompt_tokens))
    if len(known) < FEWEST_REQUESTS:
        return Checked(notes=("Nothing was simulated: too few requests say when they came and how long they were.",))
    cost = StepCost.read(config.cost)
    traffic = _busiest(config, cost, _traffic(requests, known, share).that_fit(config.engine.longest_request))
    (fcfs,) = simulate([_run(config, cost, traffic, "fcfs", Order())])
    waiting = float(noted(config.engine, fcfs).waited.mean())
    if waiting < WAITS_FROM:
        return Checked(notes=(f"In the simulation nothing waits ({config.cost}), so that no order gains anything.",))
    rows = known[traffic.request_numbers]
    orders = {who: _order(config, cost, traffic, one, rows, cards[who]) for who, one in scores.items()}
    answers = simulate([_run(config, cost, traffic, who, order) for who, order in orders.items()])
    by_who = dict(zip(orders, answers, strict=True))
    return _compared(config, waiting, by_who)


def _compared(config: GateConfig, waiting: float, answers: Mapping[str, pd.DataFrame]) -> Checked:
    taken_off = Difference(*gain(answers["champion"], answers["challenger"]))
    busy = f"in the simulation of {len(answers['champion']):,} requests, of which {waiting:.0%} wait, as a share"
    what = f"By what it takes off the seconds per token {busy},"
    finding = not_clearly_worse(GAIN, what, taken_off, config.simulation_margin)
    metrics = {f"{who}_simulated_s_per_token": _s_per_token(one) for who, one in answers.items()}
    return Checked(findings=(finding,), metrics=metrics | {GAIN: taken_off.value})


def _s_per_token(answers: pd.DataFrame) -> float:
    return float((answers.e2e_s / answers.output_tokens).mean())


def _traffic(requests: FreshRequests, known: np.ndarray, share: float) -> Traffic:
    arrival_s = requests.arrival_s[known]
    return Traffic(
        arrival_s=(arrival_s - arrival_s[0]) * share,
        prompt_tokens=np.maximum(requests.prompt_tokens[known], 1).astype(np.int64),
        output_tokens=requests.output_tokens[known].astype(np.int64),
    )


def _busiest(config: GateConfig, cost: StepCost, traffic: Traffic) -> Traffic:
    """As many of them as the settings allow, where most work piles up."""
    work_s = works_s(_price(config, cost), traffic.prompt_tokens, traffic.output_tokens)
    most = max(FEWEST_REQUESTS, int(config.simulated_tokens / traffic.output_tokens.mean()))
    window = busiest_window(Demand.of(traffic.arrival_s, work_s), most)
    return traffic.window(window.start, window.stop)


def _price(config: GateConfig, cost: StepCost) -> TokenPrice:
    return TokenPrice.of(cost, max_num_seqs=config.max_num_seqs, max_num_batched_tokens=config.max_num_batched_tokens)


def _order(
    config: GateConfig, cost: StepCost, traffic: Traffic, scored: Scored, rows: np.ndarray, card: RankerCard
) -> Order:
    """As a server places them: by work where the cost is that of an own engine, else by length."""
    is_own = Path(config.cost.partition(",")[0]).is_file()
    served = ServedPlaces(prompt_tokens=traffic.prompt_tokens, price=_price(config, cost) if is_own else None)
    return order_of_tiers(served, {tier: _ranked(card, one[rows]) for tier, one in scored.tokens.items()})


def _ranked(card: RankerCard, tokens: np.ndarray) -> Ranked:
    return Ranked(card, card.distribution.quantiles(tokens), tokens)


def _run(config: GateConfig, cost: StepCost, traffic: Traffic, policy: str, order: Order) -> Run:
    return Run(traffic=traffic, order=order, engine=config.engine, cost=cost, policy=policy)
