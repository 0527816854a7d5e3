"""Plots of a ranker on its test prompts."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from charts.chart import AnyChart, Bar, BarChart, Chart, Line
from charts.picture import svg
from registry.order.certain_pairs import Values
from training.artefact.abstention import accuracy_by_coverage
from training.artefact.tested_tiers import AGREEMENT, INSTANT_TAU_B, TestResult
from training.judging.ranking_metrics import pair_accuracy_by_length_ratio

RATIO_EDGES = (1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, np.inf)
COVERAGES = tuple(np.linspace(0.05, 1.0, 20).tolist())
DRAWN_PROMPTS = 1000
"""Dots; more of them would lie over each other."""
GUESS = 0.5
"""Pair accuracy of who knows nothing."""


def write_plots(result: TestResult, folder: Path) -> None:
    """Write all of them as SVG files."""
    folder.mkdir(exist_ok=True)
    for name, chart in plots(result):
        (folder / f"{name}.svg").write_text(svg(chart), encoding="utf-8")


def plots(result: TestResult) -> Iterator[tuple[str, AnyChart]]:
    """All plots by their names."""
    yield "predicted_against_true", predicted_against_true(result)
    yield "pair_accuracy_by_length_ratio", accuracy_by_length_ratio(result)
    yield "pair_accuracy_by_coverage", accuracy_by_share_told_apart(result)
    if result.instant_predicted_tokens is not None:
        yield "instant_against_encoder", instant_against_encoder(result, result.instant_predicted_tokens)
    if result.tau_lost_without:
        yield "feature_importance", feature_importance(result.tau_lost_without)


def predicted_against_true(result: TestResult) -> Chart:
    """Predicted against true output tokens, both on a log scale, with the diagonal."""
    count, tau = len(result.output_tokens), result.metrics["kendall_tau_b"]
    drawn = np.random.default_rng(0).permutation(count)[:DRAWN_PROMPTS]
    true, predicted = result.output_tokens[drawn], result.predicted_tokens[drawn]
    ends = [float(true.min()), float(true.max())]
    return Chart(
        title=f"{count:,} test prompts, tau-b {tau:.3f}",
        x_label="true output tokens",
        y_label="predicted output tokens",
        lines=(
            Line("a test prompt", true.tolist(), predicted.tolist(), 1, is_joined=False),
            Line("a perfect prediction", ends, ends, 0, has_dots=False),
        ),
        says=f"Predicted against true output tokens of {len(drawn):,} test prompts; tau-b is {tau:.3f}.",
        is_log_x=True,
        is_log_y=True,
    )


def instant_against_encoder(result: TestResult, instant: Values) -> Chart:
    """Predicted output tokens of the instant tier against the encoder's, both on a log scale, with the diagonal."""
    drawn = np.random.default_rng(0).permutation(len(instant))[:DRAWN_PROMPTS]
    encoder, agreement = result.predicted_tokens[drawn], result.metrics[AGREEMENT]
    ends = [float(encoder.min()), float(encoder.max())]
    return Chart(
        title=f"Instant tier, tau-b {result.metrics[INSTANT_TAU_B]:.3f}; {agreement:.3f} against the encoder",
        x_label="predicted output tokens, encoder",
        y_label="predicted output tokens, instant tier",
        lines=(
            Line("a test prompt", encoder.tolist(), instant[drawn].tolist(), 1, is_joined=False),
            Line("both say the same", ends, ends, 0, has_dots=False),
        ),
        says=f"Predictions of both tiers for {len(drawn):,} test prompts; tau-b between them is {agreement:.3f}.",
        is_log_x=True,
        is_log_y=True,
    )


def feature_importance(tau_lost_without: Mapping[str, float]) -> BarChart:
    """Tau-b lost where a feature is missing from every request, the most important one first."""
    ranked = sorted(tau_lost_without.items(), key=lambda one: -one[1])
    bars = tuple(Bar(name, lost, f"{lost:.3f}") for name, lost in ranked)
    return BarChart(
        title="What the ranker loses without each feature of a request",
        value_label="tau-b lost where the feature is missing",
        bars=bars,
        says=f"Tau-b lost without a feature: {', '.join(f'{bar.label} {bar.text}' for bar in bars)}.",
    )


def accuracy_by_length_ratio(result: TestResult) -> BarChart:
    """Share of pairs ordered right, by how many times longer the longer answer is."""
    accuracies = pair_accuracy_by_length_ratio(
        result.predicted_tokens, result.output_tokens, RATIO_EDGES, result.is_censored
    )
    bars = tuple(
        Bar(_bin_label(low, high), float(accuracy), "no pair" if np.isnan(accuracy) else f"{accuracy:.3f}")
        for (low, high), accuracy in zip(pairwise(RATIO_EDGES), accuracies, strict=True)
    )
    return BarChart(
        title="Pairs ordered right, by longer ÷ shorter true length",
        value_label="pair accuracy (dashes: a guess)",
        bars=bars,
        says=f"Pair accuracy by ratio of lengths: {', '.join(f'{bar.label} {bar.text}' for bar in bars)}.",
        mark=GUESS,
    )


def accuracy_by_share_told_apart(result: TestResult) -> Chart:
    """Accuracy of the pairs that a ranker tells apart, by the share of the pairs that these are."""
    accuracies = accuracy_by_coverage(result.predicted_tokens, result.output_tokens, COVERAGES, result.is_censored)
    return Chart(
        title="The surest pairs first",
        x_label="coverage: share of pairs told apart",
        y_label="pair accuracy",
        lines=(
            Line("this ranker", COVERAGES, [float(one) for one in accuracies], 1),
            Line("a guess", (COVERAGES[0], COVERAGES[-1]), (GUESS, GUESS), 0, has_dots=False),
        ),
        says=f"Pair accuracy from {accuracies[0]:.3f} of the surest pairs to {accuracies[-1]:.3f} of all.",
        starts_at_zero=False,
    )


def _bin_label(low: float, high: float) -> str:
    return f"{low:g} to {high:g} times" if np.isfinite(high) else f"{low:g} times and more"
