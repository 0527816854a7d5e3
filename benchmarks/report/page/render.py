"""From evidence to one HTML page that asks for nothing outside itself. Pure."""

from dataclasses import dataclass

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from benchmarks.report.page.chart_groups import chart_groups
from benchmarks.report.page.data_table import DataTable, data_table
from benchmarks.report.page.evidence import Evidence
from benchmarks.report.page.findings import find
from benchmarks.report.page.first_screen import first_screen
from benchmarks.report.page.policy_table import sections
from charts.chart import AnyChart
from charts.looks import DARK_OF, look
from charts.picture import svg


@dataclass(frozen=True)
class Shown:
    """A chart as it stands on the page."""

    title: str
    picture: Markup
    numbers: DataTable


def render(evidence: Evidence, table: pd.DataFrame) -> str:
    """The page of some answers and of the table that `comparison.compare` made of them."""
    template = _environment().get_template("page.html")
    return template.render(
        evidence=evidence,
        first=first_screen(evidence, table, find(evidence, table)),
        tables=sections(evidence, table),
        charts={heading: [_shown(one) for one in group] for heading, group in chart_groups(evidence, table).items()},
        look=look,
        dark_of=DARK_OF,
    )


def _shown(chart: AnyChart) -> Shown:
    return Shown(chart.title, Markup(svg(chart, is_alone=False)), data_table(chart))


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("benchmarks.report.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
