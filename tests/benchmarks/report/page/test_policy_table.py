"""`benchmarks/report/page/policy_table.py`: figures as people read them."""

from benchmarks.report.comparison import compare
from benchmarks.report.goodput import MET, Objectives
from benchmarks.report.page.evidence import Evidence
from benchmarks.report.page.policy_table import COLUMNS, sections
from tests.benchmarks.queueing import queued


def test_what_was_answered_in_time_is_a_share_in_per_cent() -> None:
    answers = queued()
    table = compare(answers, Objectives())
    (section,) = sections(Evidence(title="t", answers=answers, provenance=(), settings={}), table)
    shown = {row.policy: cell.text for row in section.rows for cell in row.cells if cell.column == COLUMNS[MET]}
    met = {row["policy"]: row[MET] for row in table.to_dict("records")}
    assert float(shown["PARS"]) == round(100 * met["pars"], 1)
    assert COLUMNS[MET].startswith("%")
