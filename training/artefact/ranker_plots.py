"""Plots of a ranker on its test prompts."""

from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from training.artefact.abstention import accuracy_by_coverage
from training.artefact.export import TestResult
from training.judging.ranking_metrics import pair_accuracy_by_length_ratio

RATIO_EDGES = (1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, np.inf)
COVERAGES = tuple(np.linspace(0.05, 1.0, 20).tolist())


def write_plots(result: TestResult, folder: Path) -> None:
    """Write all of them as PNG files."""
    folder.mkdir(exist_ok=True)
    predicted_against_true(result).savefig(folder / "predicted_against_true.png")
    accuracy_by_length_ratio(result).savefig(folder / "pair_accuracy_by_length_ratio.png")
    accuracy_by_share_told_apart(result).savefig(folder / "pair_accuracy_by_coverage.png")


def predicted_against_true(result: TestResult) -> Figure:
    """Predicted against true output tokens, both on a log scale, with the diagonal."""
    figure = Figure(figsize=(6, 6), layout="constrained")
    axes = figure.add_subplot()
    axes.loglog(result.output_tokens, result.predicted_tokens, ".", markersize=3, alpha=0.3)
    ends = [result.output_tokens.min(), result.output_tokens.max()]
    axes.loglog(ends, ends, linewidth=1, color="grey")
    axes.set(
        xlabel="true output tokens",
        ylabel="predicted output tokens",
        title=f"{len(result.output_tokens)} test prompts, tau-b {result.metrics['kendall_tau_b']:.3f}",
    )
    return figure


def accuracy_by_length_ratio(result: TestResult) -> Figure:
    """Share of pairs ordered right, by how many times longer the longer answer is."""
    accuracies = pair_accuracy_by_length_ratio(
        result.predicted_tokens, result.output_tokens, RATIO_EDGES, result.is_censored
    )
    labels = [_bin_label(low, high) for low, high in pairwise(RATIO_EDGES)]
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.bar(labels, np.nan_to_num(accuracies))
    axes.axhline(0.5, linewidth=1, color="grey")
    axes.set(xlabel="longer ÷ shorter true length", ylabel="pair accuracy", ylim=(0, 1), title="Pairs ordered right")
    return figure


def accuracy_by_share_told_apart(result: TestResult) -> Figure:
    """Accuracy of the pairs that a ranker tells apart, by the share of the pairs that these are."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    accuracies = accuracy_by_coverage(result.predicted_tokens, result.output_tokens, COVERAGES, result.is_censored)
    axes.plot(COVERAGES, accuracies, ".-")
    axes.set(xlabel="coverage: share of pairs told apart", ylabel="pair accuracy", title="The surest pairs first")
    return figure


def _bin_label(low: float, high: float) -> str:
    return f"{low:g} to {high:g}" if np.isfinite(high) else f"from {low:g}"
