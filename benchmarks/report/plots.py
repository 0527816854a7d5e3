"""Pictures of a replay."""

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from benchmarks.policies.titles import short_title, title
from benchmarks.report.page.policy_slots import slots
from charts.looks import COLOURS

matplotlib.use("Agg")


def latency(answers: pd.DataFrame, table: pd.DataFrame) -> Figure:
    """Three panels: mean seconds per token, its distribution, and who waits (by true length)."""
    figure = Figure(figsize=(15, 4.6), layout="constrained")
    bars, distribution, waits = figure.subplots(1, 3)
    colours = {policy: COLOURS[slot] for policy, slot in slots(list(table.index)).items()}
    _bars(bars, table, list(colours.values()))
    for policy, one in answers.groupby("policy", sort=False):
        style = {"label": title(str(policy)), "color": colours[str(policy)]}
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


def _bars(axes: matplotlib.axes.Axes, table: pd.DataFrame, colours: list[str]) -> None:
    drawn = axes.barh([short_title(one) for one in table.index], table.s_per_token, color=colours)
    axes.bar_label(drawn, [f"{one:.3g}" for one in table.s_per_token], padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set(xlabel="mean end-to-end seconds per output token")
    axes.set_title("Less is better")
