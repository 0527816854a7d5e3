"""A heat map of tau-b: rankers down, target LLMs across, the values written in the cells."""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

DARK_FROM = 0.6
"""Tau-b from which the text in a cell is white."""
LABEL_LETTERS = 40
"""Of a longer name only the end is shown."""


def tau_heat_map(metrics_of: Mapping[tuple[str, str], Mapping[str, float]]) -> Figure:
    """Tau-b of each ranker on each target LLM, with its 95 % interval below it; colours run from 0 to 1.

    `metrics_of` a ranker and a target LLM has `kendall_tau_b` and its `_low` and `_high`.
    """
    rankers, models = (list(dict.fromkeys(names)) for names in zip(*metrics_of, strict=True))
    figure = Figure(figsize=(6 + 1.6 * len(models), 3 + 0.6 * len(rankers)), layout="constrained")
    axes = figure.add_subplot()
    cells = {(rankers.index(ranker), models.index(model)): one for (ranker, model), one in metrics_of.items()}
    taus = [[cells[row, column]["kendall_tau_b"] for column in range(len(models))] for row in range(len(rankers))]
    figure.colorbar(axes.imshow(taus, cmap="Blues", vmin=0, vmax=1, aspect="auto"), label="kendall_tau_b")
    for (row, column), metrics in cells.items():
        _write(axes, row, column, metrics)
    axes.set_xticks(range(len(models)), [_label(model) for model in models], rotation=20, ha="right")
    axes.set_yticks(range(len(rankers)), [_label(ranker) for ranker in rankers])
    axes.set(xlabel="target LLM", ylabel="ranker", title="Kendall tau-b on test prompts")
    return figure


def _label(name: str) -> str:
    return name if len(name) <= LABEL_LETTERS else f"…{name[1 - LABEL_LETTERS :]}"


def _write(axes: Axes, row: int, column: int, metrics: Mapping[str, float]) -> None:
    tau, low, high = (metrics[f"kendall_tau_b{suffix}"] for suffix in ("", "_low", "_high"))
    colour = "white" if tau >= DARK_FROM else "black"
    axes.text(column, row, f"{tau:.3f}\n{low:.3f} to {high:.3f}", ha="center", va="center", color=colour, fontsize=8)
