"""What to spend on: on ranking quality, on patience or on sequences. Pure."""

import numpy as np
import pandas as pd

from benchmarks.policies.titles import figure, load_title
from benchmarks.report.comparison import MATTERS_FROM
from benchmarks.report.summary import summarise
from benchmarks.what_if.config import TAU_STEP, WhatIfConfig
from benchmarks.what_if.study import LOG, Studied

WORTH_FROM = 0.05
"""A step is worth money if it takes at least this share off the mean seconds per token."""
WAITS_FROM = 0.05
"""Requests wait if at least this share of them finds the engine full."""
ALL_AT_ONCE = "all at once"
TOO_MUCH = 2.0
"""A log that brings this many times the capacity of an engine was not served by one such engine."""


def advise(config: WhatIfConfig, studied: Studied, tau: float) -> tuple[str, ...]:
    """Sentences, the most important one first; `tau` is that of the ranker behind PARS."""
    gains = {"a better ranker": gain_of_ranking(studied, tau), "max_num_seqs": gain_of_sequences(config, studied)}
    return (
        _whether(config, studied),
        _what_first(gains),
        f"Ranking: a ranker with tau-b {min(tau + TAU_STEP, 1):.2f} instead of {tau:.2f} would take"
        f" {_percent(gains['a better ranker'])} off the mean seconds per token, a perfect one"
        f" {_percent(gain_of_ranking(studied, tau, 1 - tau))}.",
        _patience(config, studied),
        _sequences(config, studied),
    )


def gain_of_ranking(studied: Studied, tau: float, step: float = TAU_STEP) -> float:
    """Share of the seconds per token that a step of tau-b takes off, read off the line of made-up rankers."""
    rows = _rows(studied, "tau").sort_values("value")
    now, then = np.interp([tau, min(tau + step, 1.0)], rows.value, rows.s_per_token)
    return float(1 - then / now)


def gain_of_sequences(config: WhatIfConfig, studied: Studied) -> float:
    """Share of the seconds per token that the best of the other numbers of sequences takes off, at least 0."""
    now, best = _now_and_best(_rows(studied, "max_num_seqs"), config.max_num_seqs)
    return 1 - best["s_per_token"] / now["s_per_token"]


def _now_and_best(rows: pd.DataFrame, current: float) -> tuple[dict[str, float], dict[str, float]]:
    """The figures of the current value of a setting, and of the value with the fewest seconds per token."""
    named = rows[["value", "s_per_token", "e2e_s_p99", "max_wait_s"]].to_dict("records")
    by_value = {float(row["value"]): {str(name): float(one) for name, one in row.items()} for row in named}
    return by_value[current], min(by_value.values(), key=lambda row: row["s_per_token"])


def _rows(studied: Studied, study: str, policy: str = "pars") -> pd.DataFrame:
    """What a policy did while something was varied."""
    settings = studied.settings
    return settings[(settings.study == study) & (settings.policy == policy)]


def _whether(config: WhatIfConfig, studied: Studied) -> str:
    own = summarise(studied.answers[studied.answers.study == LOG]).s_per_token
    ratio, at = own["fcfs"] / own["pars"], load_title(studied.log_load, ALL_AT_ONCE)
    if studied.log_load > TOO_MUCH:
        return (
            f"This log brings {studied.log_load:.3g} times what one such engine gets through, so its queue only grows:"
            " give the log of one engine, or your engine's own step cost (measure-engine) and flags."
        )
    if ratio > MATTERS_FROM:
        return f"Ordering pays on this log as it is ({at}): {figure(ratio)} times fewer seconds per token."
    return (
        f"On this log as it is ({at}) {_why_not(config, studied, ratio, own['fcfs'] / own['oracle'])}"
        f" What follows is about {studied.sweep_load:.3g} × capacity."
    )


def _why_not(config: WhatIfConfig, studied: Studied, ratio: float, best_ratio: float) -> str:
    """Why ordering brings so little: no queue, a ranker that does not order it, or a queue with nothing to order."""
    if best_ratio > MATTERS_FROM:
        return (
            f"requests wait, but PARS orders them too badly for a gain (a factor of {figure(ratio)}); the true lengths"
            f" would bring {figure(best_ratio)} times fewer seconds per token, so what lacks is a better ranker."
        )
    if studied.log_load < 1 and share_that_waits(studied, config.max_num_seqs) < WAITS_FROM:
        return f"hardly anything waits, so ordering brings nothing (a factor of {figure(ratio)})."
    return (
        f"requests wait, but ordering brings little (a factor of {figure(ratio)}), and so would the true lengths"
        f" ({figure(best_ratio)}): answers are of much the same length, or what takes the time is the prompts."
    )


def share_that_waits(studied: Studied, max_num_seqs: int) -> float:
    """Share of the log's requests that found as many others in the engine as it works on, first come, first served."""
    own = studied.answers[(studied.answers.study == LOG) & (studied.answers.policy == "fcfs")]
    sent_s, ended_s = np.sort(own.sent_s), np.sort(own.sent_s + own.e2e_s)
    others = np.arange(len(own)) - np.searchsorted(ended_s, sent_s, side="right")
    return float((others >= max_num_seqs).mean())


def _what_first(gains: dict[str, float]) -> str:
    best = max(gains, key=lambda name: gains[name])
    if gains[best] < WORTH_FROM:
        return (
            f"Spend on neither: a ranker better by {TAU_STEP} of tau-b and other numbers of sequences take less than"
            f" {WORTH_FROM:.0%} off the mean seconds per token each.".replace("%", " %")
        )
    return f"Spend on {best} first: it takes {_percent(gains[best])} off the mean seconds per token."


def _patience(config: WhatIfConfig, studied: Studied) -> str:
    now, best = _now_and_best(_rows(studied, "patience_s"), config.patience_s)
    gain = 1 - best["s_per_token"] / now["s_per_token"]
    if gain < WORTH_FROM:
        return (
            f"Patience is right as it is: none of those tried takes {WORTH_FROM:.0%} off what"
            f" {config.patience_s:g} s gives; the longest wait is {figure(now['max_wait_s'])} s.".replace("%", " %")
        )
    return (
        f"Patience costs no money, but the slowest pay: {best['value']:g} s instead of {config.patience_s:g} s would"
        f" take {_percent(gain)} off it; the p99 to the last token would go from {figure(now['e2e_s_p99'])} to"
        f" {figure(best['e2e_s_p99'])} s, the longest wait from {figure(now['max_wait_s'])} to"
        f" {figure(best['max_wait_s'])} s."
    )


def _sequences(config: WhatIfConfig, studied: Studied) -> str:
    return (
        f"Sequences: {_other_sequences(config, studied, 'pars')}. Without any ordering"
        f" {_other_sequences(config, studied, 'fcfs')}. More of them need room in the KV cache."
    )


def _other_sequences(config: WhatIfConfig, studied: Studied, policy: str) -> str:
    now, best = _now_and_best(_rows(studied, "max_num_seqs", policy), config.max_num_seqs)
    gain = 1 - best["s_per_token"] / now["s_per_token"]
    if gain < WORTH_FROM:
        return f"max_num_seqs {config.max_num_seqs} is right as it is"
    return (
        f"max_num_seqs {best['value']:.0f} instead of {config.max_num_seqs} would take {_percent(gain)} off the mean"
        " seconds per token"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if abs(share) >= 0.005 else "nothing"
