"""What was simulated, of which requests and how: sentences for the page. Pure."""

from collections.abc import Iterator

from benchmarks.policies.titles import figure, load_title
from benchmarks.report.notes import oracle_patience, ordered_by
from benchmarks.what_if.config import WhatIfConfig
from benchmarks.what_if.stretches import Stretches, moment, price_of
from benchmarks.what_if.study import Studied
from serving.work.step_cost import StepCost
from traffic.batch import Traffic


def provenance(config: WhatIfConfig, log: Traffic, studied: Studied, cost: StepCost, tau: float) -> Iterator[str]:
    """All that a reader must know with the figures."""
    stretches = studied.stretches
    yield (
        f"Simulated, nothing was run: requests of {config.log.name} ({len(log):,}), with their own arrivals, prompt"
        f" tokens and answer lengths. vLLM's own scheduler ran step by step under a virtual clock. {cost.sentence}"
    )
    yield (
        f"Capacity is {stretches.capacity_per_s:.3g} requests per second of the mean size in this log: what that engine"
        " gets through while more requests always wait, first come, first served. A load is work (prompt and output"
        " tokens by what they cost) ÷ what the engine does in that time."
    )
    yield of_log(log, stretches)
    yield _of_peak(log, stretches)
    yield (
        f"Other loads are those {_requests(stretches)} requests, their arrivals stretched or squeezed."
        + (f" Settings were tried with them at {studied.sweep_load:.3g} × capacity." if studied.of_settings else "")
        + " One order of requests each, no repeats. Above capacity the queue grows for as long as requests come, so the"
        " figures also depend on how long that is."
    )
    yield _ranking(config, tau)
    yield ordered_by("work", price_of(config, cost)) if config.is_by_work else _by_length(config)
    yield (
        "The control is the lengths dealt out at random, once. Whether it gains is judged by its interval and where"
        " requests follow each other without a gap, since among few a single deal gains or loses by chance."
    )
    yield from oracle_patience(studied.answers, config.patience_s, " unless another one was tried")
    yield from log.notes


def ranking_delay(studied: Studied) -> str:
    """What ranking adds where least queues."""
    rated = studied.answers[studied.answers.load.notna()]
    load = float(rated.load.min())
    ttft_ms = 1000 * rated[rated.load == load].groupby("policy").ttft_s.median()
    return (
        f"At the lowest load ({load_title(load, '')}) the median time to the first token is"
        f" {figure(ttft_ms['pars'])} ms with ranking and {figure(ttft_ms['fcfs'])} ms without; the figures contain the"
        " time that ranking takes."
    )


def of_log(log: Traffic, stretches: Stretches) -> str:
    """Which of a log is simulated as it came, and how much waits in it."""
    waiting = f"{_percent(stretches.busy_share)} of all requests came when more work was there than a full engine holds"
    if stretches.is_whole:
        return f"The log as it is: all of it. {waiting}."
    times = "; ".join(moment(log, float(log.arrival_s[one.start])) for one in stretches.windows)
    size = stretches.windows[0].stop - stretches.windows[0].start
    return (
        f"The log as it is: {len(stretches.windows)} windows of some {size:,} requests, drawn from its quietest to its"
        " busiest stretches, the busiest ones more often, each with what was in the queue before and after it. Of each"
        f" as many requests count as its share of the log, {len(stretches.counted):,} in all, so their means are the"
        f" whole log's, but not its longest wait. {waiting}; of those that count it is"
        f" {_percent(stretches.counted_busy_share)}. The windows begin at {times}."
    )


def _of_peak(log: Traffic, stretches: Stretches) -> str:
    begins, ends = (moment(log, float(log.arrival_s[at])) for at in (stretches.peak.start, stretches.peak.stop - 1))
    return (
        f"The busiest stretch, found over all arrivals: the {_requests(stretches)} requests that pile up most work,"
        f" from {begins} to {ends}, at {stretches.peak_load:.3g} × capacity."
    )


def _requests(stretches: Stretches) -> str:
    return f"{stretches.peak.stop - stretches.peak.start:,}"


def _by_length(config: WhatIfConfig) -> str:
    why = "" if config.order_by else ", since only your own engine's step cost (cost=FILE) tells what a request costs"
    return f"PARS and the control order by the predicted length of the answer{why}."


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"


def _ranking(config: WhatIfConfig, tau: float) -> str:
    if config.ranker:
        return (
            f"PARS is the ranker {config.ranker}: tau-b {tau:.3f} on these prompts. If it was trained on them, this"
            f" page flatters it."
        )
    return (
        f"PARS is no ranker here but the true lengths with noise that leaves a tau-b of {config.tau:g}: train one on"
        f" this log and give it with ranker=, or give the tau-b that it reached with tau=."
    )
