"""The charts that every report has, from its answers. Pure."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from benchmarks.policies.titles import figure, short_title
from benchmarks.report.comparison import at_load
from benchmarks.report.page.evidence import Evidence
from benchmarks.report.page.policy_slots import slots
from charts.chart import Chart, Line

POINTS = 150
"""Of a distribution: more could not be seen."""
DECILES = 10


def distributions(evidence: Evidence) -> list[Chart]:
    """Share of requests that were answered within a time, per token, to the first token and in all."""
    answers = at_load(evidence.answers, evidence.load)
    return [
        _distribution(answers, answers.e2e_s / answers.output_tokens, "Seconds per token", "s per output token"),
        _distribution(answers, answers.ttft_s, "Time to the first token", "s to the first token"),
        _distribution(answers, answers.e2e_s, "Time to the last token", "s to the last token"),
    ]


def against_load(table: pd.DataFrame) -> list[Chart]:
    """Mean and p90 of seconds per token against load; none for fewer than two loads."""
    rated = table[table.load.notna()]
    if rated.load.nunique() < 2:
        return []
    shown = {"s_per_token": "Mean seconds per token", "s_per_token_p90": "Seconds per token: the p90"}
    return [_against_load(rated, name, title) for name, title in shown.items()]


def who_pays(evidence: Evidence) -> list[Chart]:
    """The slowest waits and answers of each tenth of the requests by length."""
    answers = at_load(evidence.answers, evidence.load)
    slowdown = answers.e2e_s / alone_s(evidence.answers, answers)
    return [
        _who_pays(answers, answers.ttft_s, p99, "The p99 wait by length", "p99 to the first token, s"),
        _who_pays(answers, answers.ttft_s, max, "The longest wait by length", "longest wait, s"),
        _who_pays(answers, answers.e2e_s, p99, "The p99 to the last token by length", "p99 to the last token, s"),
        replace(
            _who_pays(answers, slowdown, p99, "The p99 slowdown by length", "times what it takes alone"),
            is_log_y=True,  # short answers wait thousands of times as long as they take, long ones a few times
        ),
    ]


def alone_s(measured: pd.DataFrame, answers: pd.DataFrame) -> pd.Series:
    """What each request would take alone, estimated at its own length.

    That time to the first token, and that time a token after it, which one in a hundred answers at the lowest load
    measured beats.
    """
    quiet = measured[measured.load == measured.load.min()] if measured.load.notna().any() else measured
    per_token_s = (quiet.e2e_s - quiet.ttft_s) / np.maximum(quiet.output_tokens - 1, 1)
    of_token_s = np.nan_to_num(per_token_s[quiet.output_tokens > 1].quantile(0.01))
    return (answers.output_tokens - 1) * float(of_token_s) + float(quiet.ttft_s.quantile(0.01))


def p99(seconds: pd.Series) -> float:
    """What one in a hundred exceeds."""
    return float(seconds.quantile(0.99))


def by_tenth(answers: pd.DataFrame, values: pd.Series, statistic: Callable[[pd.Series], float]) -> pd.DataFrame:
    """One row a policy and tenth (0: the shortest answers): `output_tokens` (median) and the statistic as `value`."""
    rank = answers.groupby("policy").output_tokens.rank(method="first", pct=True)
    tenths = answers.assign(value=values, tenth=np.minimum((rank * DECILES).astype(int), DECILES - 1))
    grouped = tenths.groupby(["policy", "tenth"], sort=False)
    rows = {"output_tokens": grouped.output_tokens.median(), "value": grouped.value.agg(statistic)}
    return pd.DataFrame(rows).sort_index().reset_index()


def _distribution(answers: pd.DataFrame, seconds: pd.Series, title: str, unit: str) -> Chart:
    shares = np.linspace(0, 1, POINTS)
    grouped = {str(policy): one for policy, one in seconds.groupby(answers.policy, sort=False)}
    places = slots(list(grouped))
    lines = tuple(
        Line(short_title(policy), one.quantile(shares).tolist(), (100 * shares).tolist(), places[policy], False)
        for policy, one in grouped.items()
    )
    medians = ", ".join(f"{short_title(policy)} {figure(one.median())} s" for policy, one in grouped.items())
    return Chart(
        title=title,
        x_label=unit,
        y_label="% of requests",
        lines=lines,
        says=f"Cumulative distribution of {unit}, a line a policy. Medians: {medians}.",
        is_log_x=True,
    )


def _against_load(rated: pd.DataFrame, name: str, title: str) -> Chart:
    places = slots(list(rated.policy.unique()))
    lines = tuple(
        Line(short_title(str(policy)), one.load.tolist(), one[name].tolist(), places[str(policy)])
        for policy, one in rated.groupby("policy", sort=False)
    )
    ends = ", ".join(f"{line.label} from {figure(line.y[0])} to {figure(line.y[-1])}" for line in lines)
    return Chart(
        title=title,
        x_label="arrival rate ÷ capacity",
        y_label="s per output token",
        lines=lines,
        says=f"Seconds per token at loads from {figure(rated.load.min())} to {figure(rated.load.max())}: {ends}.",
        is_log_y=True,
    )


def _who_pays(
    answers: pd.DataFrame, values: pd.Series, statistic: Callable[[pd.Series], float], title: str, y_label: str
) -> Chart:
    waits = by_tenth(answers, values, statistic)
    policies = [str(policy) for policy in answers.policy.unique()]
    places = slots(policies)
    of = {policy: waits[waits.policy == policy] for policy in policies}
    lines = tuple(
        Line(short_title(policy), one.output_tokens.tolist(), one.value.tolist(), places[policy])
        for policy, one in of.items()
    )
    ends = ", ".join(f"{line.label} {figure(line.y[0])} and {figure(line.y[-1])}" for line in lines)
    return Chart(
        title=title,
        x_label="output tokens (median of each tenth)",
        y_label=y_label,
        lines=lines,
        says=f"{title}: {y_label}, by tenths. The shortest and the longest tenth: {ends}.",
        is_log_x=True,
    )
