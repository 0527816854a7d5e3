"""What to do about it: whether to order at all, and what to spend on. A difference counts if its interval says so."""

import numpy as np
import pandas as pd

from benchmarks.policies.titles import figure, load_title
from benchmarks.report.comparison import MATTERS_FROM, compare, figures_at
from benchmarks.report.summary import RATIO
from benchmarks.what_if.config import TAU_STEP, WhatIfConfig
from benchmarks.what_if.gains import WORTH_FROM, Gain, gain
from benchmarks.what_if.stretches import FULL_ENGINES
from benchmarks.what_if.study import Studied, waiting_share

ALL_AT_ONCE = "all at once"
TOO_MUCH = 2.0
"""A log that brings this many times the capacity of an engine was not served by one such engine."""
Figures = dict[str, dict[str, float]]


def advise(config: WhatIfConfig, studied: Studied) -> tuple[str, ...]:
    """Sentences, the most important one first; nothing but whether ordering brings anything where nothing waits."""
    verdicts = _verdicts(studied)
    if not studied.has_waiting:
        return (*verdicts, _begins(config, studied), *filter(None, (engine_of_another(config),)))
    better = _gain_of_tau(config, studied, min(config.tau + TAU_STEP, 1.0))
    more = gain_of_sequences(config, studied, "pars")
    return (
        *verdicts,
        _what_first(config, {"a better ranker": better, "max_num_seqs": more[1]}),
        f"Ranking (at {studied.sweep_load:.3g} × capacity, as all that follows): a ranker with tau-b"
        f" {min(config.tau + TAU_STEP, 1):.2f} instead of {config.tau:.2f} would take {better.words} off the mean"
        f" seconds per token, a perfect one {_gain_of_tau(config, studied, 1.0).words}.",
        _patience(config, studied),
        _sequences(config, studied),
    )


def _verdicts(studied: Studied) -> tuple[str, ...]:
    """Of the log as it is, and of its busiest stretch where that is another."""
    stretches = studied.stretches
    if stretches.log_load > TOO_MUCH:
        first = (
            f"This log brings {stretches.log_load:.3g} times what one such engine gets through, so its queue only"
            " grows: give the log of one engine, or your engine's own step cost (measure-engine) and flags."
        )
        return (first,)
    of_log = _verdict("this log as it is", load_title(stretches.log_load, ALL_AT_ONCE), studied.of_log)
    if stretches.is_whole and len(studied.of_log) == len(studied.of_peak):
        return (of_log,)
    return of_log, _verdict("its busiest stretch", load_title(stretches.peak_load, ALL_AT_ONCE), studied.of_peak)


def _verdict(what: str, at: str, answers: pd.DataFrame) -> str:
    rows = figures_at(compare(answers.assign(load=np.nan)), np.nan)
    ratio, low, high = (rows["pars"][f"{RATIO}{end}"] for end in ("", "_low", "_high"))
    measured = (
        f"{figure(rows['pars']['s_per_token'])} instead of {figure(rows['fcfs']['s_per_token'])} s per token, a factor"
        f" of {figure(ratio)} ({figure(low)} to {figure(high)})"
    )
    if low > MATTERS_FROM:
        return f"Ordering pays on {what} ({at}): {measured}."
    return f"On {what} ({at}) {_why_not(answers, rows)}: {measured}."


def _why_not(answers: pd.DataFrame, rows: Figures) -> str:
    """Why ordering brings so little: no queue, a ranker that does not order it, or a queue with nothing to order."""
    share = waiting_share(answers)
    waits = f"{100 * share:.0f} % of the requests find the engine full"
    oracle, truth = ("oracle_work", "work") if "oracle_work" in rows else ("oracle", "lengths")
    if rows[oracle][f"{RATIO}_low"] > MATTERS_FROM:
        return (
            f"{waits}, but PARS orders them too badly for a gain; the true {truth} would bring"
            f" {figure(rows[oracle][RATIO])} times fewer seconds per token, so what lacks is a better ranker"
        )
    if share < 0.05:
        return "hardly anything waits, so ordering brings nothing"
    return (
        f"{waits}, but ordering brings no gain that is sure, and neither would the true {truth}"
        f" (a factor of {figure(rows[oracle][RATIO])}): few wait for long, answers are of much the same length, or"
        " what takes the time is the prompts"
    )


def engine_of_another(config: WhatIfConfig) -> str:
    """That all of it is of an engine which is not the user's, and what to do; empty where it is theirs."""
    if config.has_own_cost:
        return ""
    return (
        f"All of this is of an engine that need not be like yours: it works on max_num_seqs={config.max_num_seqs} at a"
        f" time, at the ready-made step cost {config.cost}, and what waits turns on both. Give the max_num_seqs of your"
        " engine, and cost=FILE, which measure-engine writes of it."
    )


def _begins(config: WhatIfConfig, studied: Studied) -> str:
    rated = studied.answers[studied.answers.load.notna()].load
    requests = studied.stretches.peak.stop - studied.stretches.peak.start
    if requests < (enough := FULL_ENGINES * config.max_num_seqs):
        return (
            f"Of higher loads this tells little: with {requests:,} requests, and an engine that works on"
            f" max_num_seqs={config.max_num_seqs} at a time, hardly any could wait. Give the max_num_seqs of your"
            f" engine, or a log of {enough:,} requests and sweep_requests={enough}."
        )
    if np.isnan(studied.sweep_load):
        return (
            f"It would bring nothing at any load that was tried, up to {rated.max():.3g} × capacity; so there is"
            " nothing to advise."
        )
    return (
        f"It would begin to bring something at {studied.sweep_load:.3g} × capacity, if the busiest stretch came that"
        f" fast (tried: {', '.join(f'{load:.3g}' for load in sorted(rated.unique()))})."
    )


def _gain_of_tau(config: WhatIfConfig, studied: Studied, tau: float) -> Gain:
    """Of a made-up ranker beside the one of the tau-b that PARS has."""
    return gain(studied.of_settings["tau", config.tau, "pars"], studied.of_settings["tau", tau, "pars"])


def gain_of_sequences(config: WhatIfConfig, studied: Studied, policy: str) -> tuple[int, Gain]:
    """The best other number of sequences, and what it takes off."""
    own = studied.of_settings["max_num_seqs", config.max_num_seqs, policy]
    others = [seqs for seqs in config.tried_seqs if seqs != config.max_num_seqs] or [config.max_num_seqs]
    gains = {seqs: gain(own, studied.of_settings["max_num_seqs", seqs, policy]) for seqs in others}
    return max(gains.items(), key=lambda one: one[1].share)


def _what_first(config: WhatIfConfig, gains: dict[str, Gain]) -> str:
    if config.lacks_for_money:
        return f"What to spend on cannot be said without {' and '.join(config.lacks_for_money)}."
    best = max(gains, key=lambda name: gains[name].share)
    if not gains[best].is_worth_it:
        return (
            f"Spend on neither: of a ranker better by {TAU_STEP} of tau-b and of other numbers of sequences none surely"
            f" takes {100 * WORTH_FROM:.0f} % off the mean seconds per token."
        )
    return f"Spend on {best} first: it takes {gains[best].words} off the mean seconds per token."


def _patience(config: WhatIfConfig, studied: Studied) -> str:
    def of(seconds: float) -> pd.DataFrame:
        return studied.of_settings["patience_s", seconds, "pars"]

    now = of(config.patience_s)
    gains = {one: gain(now, of(one)) for one in config.tried_patiences_s if one != config.patience_s}
    best_s = max(gains, key=lambda one: gains[one].share, default=config.patience_s)
    if best_s == config.patience_s or not gains[best_s].is_worth_it:
        return (
            f"Patience is right as it is: none of those tried surely takes {100 * WORTH_FROM:.0f} % off what"
            f" {config.patience_s:g} s gives; the longest wait is {figure(now.ttft_s.max())} s."
        )
    then = of(best_s)
    p99_s, then_p99_s = (figure(float(one.e2e_s.quantile(0.99))) for one in (now, then))
    return (
        f"Patience costs no money, but the slowest pay: {best_s:g} s instead of {config.patience_s:g} s would take"
        f" {gains[best_s].words} off it; the p99 to the last token would go from {p99_s} to"
        f" {then_p99_s} s, the longest wait from {figure(now.ttft_s.max())} to"
        f" {figure(then.ttft_s.max())} s."
    )


def _sequences(config: WhatIfConfig, studied: Studied) -> str:
    unknown = "" if config.kv_cache_tokens else " More of them were not tried, since kv_cache_tokens is not known."
    return (
        f"Sequences: {_other_sequences(config, studied, 'pars')}. Without any ordering"
        f" {_other_sequences(config, studied, 'fcfs')}.{unknown}"
    )


def _other_sequences(config: WhatIfConfig, studied: Studied, policy: str) -> str:
    """The best other number, with what it costs: slower tokens, and preemptions in a KV cache of the same size."""
    seqs, best = gain_of_sequences(config, studied, policy)
    if not best.is_worth_it:
        return f"max_num_seqs {config.max_num_seqs} is right as it is"
    now, then = (studied.of_settings["max_num_seqs", one, policy] for one in (config.max_num_seqs, seqs))
    return (
        f"max_num_seqs {seqs} instead of {config.max_num_seqs} would take {best.words} off the mean seconds per token;"
        f" the p99 of seconds per token after the first would go from {figure(_later_p99(now))} to"
        f" {figure(_later_p99(then))}, and preemptions from {_preempted(now)} to {_preempted(then)} in a hundred"
        " requests"
    )


def _later_p99(answers: pd.DataFrame) -> float:
    """Seconds per token after the first: what a reader sees while an answer streams."""
    later = answers[answers.output_tokens > 1]
    return float(((later.e2e_s - later.ttft_s) / (later.output_tokens - 1)).quantile(0.99))


def _preempted(answers: pd.DataFrame) -> str:
    return figure(100 * float(answers.preemptions.mean())) if "preemptions" in answers else "an unknown number"
