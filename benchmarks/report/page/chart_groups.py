"""All charts of a report, under their headings. Pure."""

from collections.abc import Hashable
from typing import Any

import pandas as pd

from benchmarks.policies.titles import figure, load_title, short_title
from benchmarks.report.comparison import at_load
from benchmarks.report.page.charts import against_load, distributions, who_pays
from benchmarks.report.page.evidence import Evidence
from benchmarks.report.page.policy_slots import slots
from charts.chart import AnyChart, Bar, BarChart


def chart_groups(evidence: Evidence, table: pd.DataFrame) -> dict[str, list[AnyChart]]:
    """The charts by heading, from the answers and from the table that `comparison.compare` made of them."""
    at = load_title(evidence.load, evidence.unrated)
    groups: dict[str, list[AnyChart]] = {
        f"How long requests take ({at})": [means(at_load(table, evidence.load)), *distributions(evidence)],
        "What load does": [*against_load(table)],
        f"Who pays ({at})": [*who_pays(evidence)],
        evidence.sweeps_title: [*evidence.sweeps],
    }
    return {heading: group for heading, group in groups.items() if group}


def means(rows: pd.DataFrame) -> BarChart:
    """Mean seconds per token of each policy at one load, with its interval."""
    places = slots(rows.policy.tolist())
    bars = tuple(_bar(row, places[row["policy"]]) for row in rows.to_dict("records"))
    return BarChart(
        title="Mean seconds per token: less is better",
        value_label="s per output token",
        bars=bars,
        says=f"Mean seconds per token: {', '.join(f'{bar.label} {bar.text}' for bar in bars)}.",
    )


def _bar(row: dict[Hashable, Any], slot: int) -> Bar:
    low, high = row.get("s_per_token_low"), row.get("s_per_token_high")
    return Bar(short_title(row["policy"]), row["s_per_token"], figure(row["s_per_token"]), slot, low, high)
