"""What changes with a setting, as charts. Pure."""

import pandas as pd

from benchmarks.policies.titles import figure, short_title
from benchmarks.report.page.policy_slots import SLOTS
from benchmarks.what_if.study import Studied
from charts.chart import Chart, Line

FIGURES = {"s_per_token": "mean s per token", "e2e_s_p99": "p99 to last token, s"}
TITLES = {"s_per_token": "the mean", "e2e_s_p99": "the slowest"}
STUDIES = {
    "tau": ("A better ranker", "tau-b of the ranker (0: knows nothing, 1: knows all)"),
    "patience_s": ("More patience", "patience, s"),
    "max_num_seqs": ("More sequences", "max_num_seqs"),
}


def setting_charts(studied: Studied) -> tuple[Chart, ...]:
    """Two charts a study: seconds per token, and what the slowest wait."""
    return tuple(_chart(studied, study, name) for study in STUDIES for name in FIGURES)


def _chart(studied: Studied, study: str, name: str) -> Chart:
    title, x_label = STUDIES[study]
    rows = studied.settings[studied.settings.study == study].sort_values("value")
    varied = {str(policy): one for policy, one in rows[rows.value.notna()].groupby("policy")}
    lines = [_line(policy, one.value.tolist(), one[name].tolist()) for policy, one in varied.items()]
    if "fcfs" not in varied:
        lines.append(_fcfs(studied.settings, [rows.value.min(), rows.value.max()], name))
    ends = "; ".join(f"{line.label} from {figure(line.y[0])} to {figure(line.y[-1])}" for line in lines)
    return Chart(
        title=f"{title}: {TITLES[name]}",
        x_label=x_label,
        y_label=FIGURES[name],
        lines=tuple(lines),
        says=f"{FIGURES[name]} for {x_label} from {figure(rows.value.min())} to {figure(rows.value.max())}: {ends}.",
        is_log_x=study != "tau",
    )


def _line(policy: str, x: list[float], y: list[float]) -> Line:
    return Line(short_title(policy), x, y, SLOTS[policy])


def _fcfs(settings: pd.DataFrame, ends: list[float], name: str) -> Line:
    """First-come-first-served knows neither rankers nor patience."""
    value = float(settings[settings.value.isna()][name].iloc[0])
    return Line(short_title("fcfs"), ends, [value, value], SLOTS["fcfs"], has_dots=False)
