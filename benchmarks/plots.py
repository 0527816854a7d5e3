"""Pictures of a replay."""

from zlib import crc32

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from benchmarks.titles import short_title, title

matplotlib.use("Agg")

COLOURS = {"fcfs": "#8c8c8c", "control": "#c9a227", "pars": "#0b6e4f", "oracle": "#1f4e9c", "endpoint": "#8a3ffc"}

OTHERS = ("#d1495b", "#00798c", "#7d5ba6", "#a35c00", "#3d3d3d")
"""Of policies that a user named."""


def colour(policy: str) -> str:
    """A policy's colour, the same in every plot."""
    return COLOURS.get(policy) or OTHERS[crc32(policy.encode()) % len(OTHERS)]


def latency(answers: pd.DataFrame, table: pd.DataFrame) -> Figure:
    """Three panels: mean seconds per token, its distribution, and who waits (by true length)."""
    figure = Figure(figsize=(15, 4.6), layout="constrained")
    bars, distribution, waits = figure.subplots(1, 3)
    _bars(bars, table)
    for policy, one in answers.groupby("policy", sort=False):
        style = {"label": title(str(policy)), "color": colour(str(policy))}
        distribution.ecdf(one.e2e_s / one.output_tokens, **style)
        deciles = pd.qcut(one.output_tokens.rank(method="first"), 10, labels=False)
        by_decile = one.assign(decile=deciles).groupby("decile")
        waits.plot(by_decile.output_tokens.median(), by_decile.ttft_s.mean(), marker="o", **style)
    distribution.set(xscale="log", xlabel="end-to-end seconds per output token", ylabel="share of requests")
    distribution.set_title("Most answers come sooner ...")
    waits.set(xscale="log", xlabel="output tokens (median of a tenth)", ylabel="mean time to first token, s")
    waits.set_title("... and long ones pay for it")
    distribution.legend(frameon=False)
    for axes in (bars, distribution, waits):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _bars(axes: matplotlib.axes.Axes, table: pd.DataFrame) -> None:
    policies = list(table.index)
    drawn = axes.bar([short_title(one) for one in policies], table.s_per_token, color=[colour(one) for one in policies])
    axes.bar_label(drawn, [f"{one:.3g}" for one in table.s_per_token])
    axes.set(ylabel="mean end-to-end seconds per output token")
    axes.set_title("Lower is better")
