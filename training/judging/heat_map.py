"""A heat map of a metric: rankers down, target LLMs across, the values written in the cells."""

from collections.abc import Mapping

from charts.chart import Cell, Grid


def heat_map(metrics_of: Mapping[tuple[str, str], Mapping[str, float]], metric: str, title: str) -> Grid:
    """A metric of each ranker on each target LLM, with its 95 % interval below it; colours run from 0 to 1.

    `metrics_of` a ranker and a target LLM has the metric and its `_low` and `_high`.
    """
    cells = tuple(
        Cell(ranker, model, metrics[metric], _text(*(metrics[f"{metric}{bound}"] for bound in ("", "_low", "_high"))))
        for (ranker, model), metrics in metrics_of.items()
    )
    said = "; ".join(f"{cell.row} on {cell.column} {cell.text}".replace("\n", ", ") for cell in cells)
    return Grid(
        title=title,
        row_label="ranker",
        column_label="target LLM",
        value_label=metric,
        cells=cells,
        says=f"{metric} with its 95 % interval: {said}.",
    )


def _text(value: float, low: float, high: float) -> str:
    return f"{value:.3f}\n{low:.3f} to {high:.3f}"
