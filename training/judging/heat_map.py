"""A heat map of a metric: rankers down, target LLMs across, the values written in the cells."""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

DARK_FROM = 0.6
"""Value from which the text in a cell is white."""
LABEL_LETTERS = 40
"""Of a longer name only the end is shown."""


def heat_map(metrics_of: Mapping[tuple[str, str], Mapping[str, float]], metric: str, title: str) -> Figure:
    """A metric of each ranker on each target LLM, with its 95 % interval below it; colours run from 0 to 1.

    `metrics_of` a ranker and a target LLM has the metric and its `_low` and `_high`.
    """
    rankers, models = (list(dict.fromkeys(names)) for names in zip(*metrics_of, strict=True))
    figure = Figure(figsize=(6 + 1.6 * len(models), 3 + 0.6 * len(rankers)), layout="constrained")
    axes = figure.add_subplot()
    cells = {(rankers.index(ranker), models.index(model)): one for (ranker, model), one in metrics_of.items()}
    values = [[cells[row, column][metric] for column in range(len(models))] for row in range(len(rankers))]
    figure.colorbar(axes.imshow(values, cmap="Blues", vmin=0, vmax=1, aspect="auto"), label=metric)
    for (row, column), metrics in cells.items():
        _write(axes, row, column, *(metrics[f"{metric}{bound}"] for bound in ("", "_low", "_high")))
    axes.set_xticks(range(len(models)), [_label(model) for model in models], rotation=20, ha="right")
    axes.set_yticks(range(len(rankers)), [_label(ranker) for ranker in rankers])
    axes.set(xlabel="target LLM", ylabel="ranker", title=title)
    return figure


def _label(name: str) -> str:
    return name if len(name) <= LABEL_LETTERS else f"…{name[1 - LABEL_LETTERS :]}"


def _write(axes: Axes, row: int, column: int, value: float, low: float, high: float) -> None:
    colour = "white" if value >= DARK_FROM else "black"
    axes.text(column, row, f"{value:.3f}\n{low:.3f} to {high:.3f}", ha="center", va="center", color=colour, fontsize=8)
