"""Which requests of a log are simulated, as many as the budget allows, and how busy they are beside the others."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from benchmarks.capacity import saturating
from benchmarks.policies.places import Values
from benchmarks.policies.work import works_s
from benchmarks.simulation.engine.order import Order
from benchmarks.simulation.engine.run import Run
from benchmarks.what_if.config import WhatIfConfig
from benchmarks.what_if.windows import FEWEST_REQUESTS, Demand, Places, Window, busiest_window, windows_of_all
from serving.work.price import TokenPrice
from serving.work.step_cost import StepCost
from traffic.batch import Traffic

DAY_S = 86_400
FULL_ENGINES = 4
"""With as many requests as fill the engine so often a queue can form: at 1.5 x capacity more than an engine of them."""
SINCE_1970_S = 1e8
"""A log whose clock is beyond this counts from 1970, as dates do."""


@dataclass(frozen=True)
class Stretches:
    """Of one log."""

    demand: Demand
    capacity_per_s: float
    """Requests per second that the engine gets through, of this log's mix."""
    windows: tuple[Window, ...]
    """The log whole, or windows that stand for all of it."""
    peak: Window
    """The busiest stretch."""
    full_s: float
    """How long the engine works for as many requests as it works on at once."""

    @property
    def is_whole(self) -> bool:
        """Whether all of the log is simulated as it is."""
        return len(self.windows) == 1

    @property
    def log_load(self) -> float:
        """Of the whole log; NaN where all of it came at once."""
        load = self.demand.load(0, len(self.demand.work_s))
        return load if self.demand.arrival_s[-1] > self.demand.arrival_s[0] else float("nan")

    @property
    def peak_load(self) -> float:
        """Of the busiest stretch, as it is shown."""
        return float(f"{self.demand.load(self.peak.start, self.peak.stop):.3g}")

    @property
    def peak_work_s(self) -> float:
        """Mean work of the busiest stretch's requests."""
        return float(self.demand.work_s[self.peak.start : self.peak.stop].mean())

    @property
    def peak_lasts_s(self) -> float:
        """From its first request to its last."""
        return float(self.demand.arrival_s[self.peak.stop - 1] - self.demand.arrival_s[self.peak.start])

    @property
    def counted(self) -> Places:
        """Requests that count for the log as it is."""
        return np.concatenate([one.places for one in self.windows])

    @property
    def simulated(self) -> Places:
        """All requests that are simulated, in order."""
        return np.unique(np.concatenate([np.arange(one.before, one.after) for one in (*self.windows, self.peak)]))

    @property
    def busy_share(self) -> float:
        """Share of all requests that came when more work was there than a full engine holds."""
        return float((self.demand.backlog_s > self.full_s).mean())

    @property
    def counted_busy_share(self) -> float:
        """The same of those that count."""
        return float((self.demand.backlog_s[self.counted] > self.full_s).mean())


def capacity_run(config: WhatIfConfig, cost: StepCost, traffic: Traffic) -> Run:
    """Requests from all over the log, all at once: their answers say what the engine gets through."""
    num = min(len(traffic), affordable_requests(config, traffic))
    drawn = np.sort(np.random.default_rng([config.seed, 6]).permutation(len(traffic))[:num])
    burst = saturating(traffic.take(drawn), config.max_num_seqs, config.seed)
    return Run(traffic=burst, order=Order(), engine=config.engine, cost=cost)


def choose(config: WhatIfConfig, cost: StepCost, traffic: Traffic, capacity_per_s: float) -> Stretches:
    """The busiest stretch over all arrivals, and as many windows as half of the simulated tokens allow."""
    demand = Demand.of(traffic.arrival_s, work_s(config, cost, traffic, capacity_per_s))
    full_s = config.max_num_seqs / capacity_per_s
    most = config.max_requests
    while True:
        windows = windows_of_all(demand, most, full_s, config.seed)
        tokens = config.num_policies * sum(int(traffic.output_tokens[one.before : one.after].sum()) for one in windows)
        if tokens <= config.max_simulated_tokens / 2 or most <= FEWEST_REQUESTS:
            break
        most = max(FEWEST_REQUESTS, int(most * min(0.9, config.max_simulated_tokens / 2 / tokens)))
    peak = busiest_window(demand, affordable_requests(config, traffic), fewest_requests(config))
    return Stretches(demand, capacity_per_s, windows, peak, full_s)


def work_s(config: WhatIfConfig, cost: StepCost, traffic: Traffic, capacity_per_s: float) -> Values:
    """Seconds of a full engine that each request costs: by its tokens, and as many in all as the capacity says."""
    relative = works_s(price_of(config, cost), traffic.prompt_tokens, traffic.output_tokens)
    return np.asarray(relative / relative.mean() / capacity_per_s)


def price_of(config: WhatIfConfig, cost: StepCost) -> TokenPrice:
    """What tokens cost that engine."""
    return TokenPrice.of(cost, max_num_seqs=config.max_num_seqs, max_num_batched_tokens=config.max_num_batched_tokens)


def affordable_requests(config: WhatIfConfig, traffic: Traffic) -> int:
    """Requests with which loads and settings are tried: as many as the other half of the simulated tokens allows."""
    tokens = config.max_simulated_tokens / 2 / config.sweep_cases
    return int(np.clip(tokens / traffic.output_tokens.mean(), fewest_requests(config), config.sweep_requests))


def fewest_requests(config: WhatIfConfig) -> int:
    """However long answers are, and however short the burst: with fewer nothing would wait at any load."""
    return min(max(FEWEST_REQUESTS, FULL_ENGINES * config.max_num_seqs), config.sweep_requests)


def moment(traffic: Traffic, seconds: float) -> str:
    """When that was: a date where the log has dates, else the day of the log and the time since that day began."""
    at_s = traffic.start_s + seconds
    if at_s >= SINCE_1970_S:
        return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
    day, of_day_s = divmod(int(seconds), DAY_S)
    return f"day {day + 1}, {of_day_s // 3600:02}:{of_day_s % 3600 // 60:02}:{of_day_s % 60:02}"
