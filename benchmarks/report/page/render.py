"""From evidence to one HTML page that asks for nothing outside itself. Pure."""

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from benchmarks.policies.titles import load_title
from benchmarks.report.page.charts import against_load, distributions, who_pays
from benchmarks.report.page.drawing import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, drawing
from benchmarks.report.page.evidence import Evidence
from benchmarks.report.page.findings import find
from benchmarks.report.page.policy_table import sections
from charts.looks import COLOURS

FRAME = {"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": RIGHT, "top": TOP, "bottom": BOTTOM}


def render(evidence: Evidence, table: pd.DataFrame) -> str:
    """The page of some answers and of the table that `comparison.compare` made of them."""
    at = load_title(evidence.load, evidence.unrated)
    charts = {
        f"How long requests take ({at})": distributions(evidence),
        "What load does": against_load(table),
        f"Who pays ({at})": who_pays(evidence),
        evidence.sweeps_title: list(evidence.sweeps),
    }
    template = _environment().get_template("page.html")
    return template.render(
        evidence=evidence,
        findings=find(evidence, table),
        tables=sections(evidence, table),
        charts={heading: [drawing(one) for one in group] for heading, group in charts.items() if group},
        frame=FRAME,
        colours=COLOURS,
    )


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("benchmarks.report.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
