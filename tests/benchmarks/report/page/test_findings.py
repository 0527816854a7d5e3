"""What the answers say, in sentences."""

import numpy as np
import pandas as pd

from benchmarks.report.comparison import compare
from benchmarks.report.page.evidence import Evidence
from benchmarks.report.page.findings import Findings, find
from tests.benchmarks.queueing import queued


def findings(answers: pd.DataFrame, load: float = np.nan, policy: str = "pars") -> Findings:
    evidence = Evidence(title="t", answers=answers, provenance=(), settings={}, load=load, policy=policy)
    return find(evidence, compare(answers))


def test_gain_is_said_with_its_interval_and_its_price() -> None:
    found = findings(queued())
    assert found.headline.startswith("PARS answers ")
    assert "times sooner than first-come-first-served" in found.headline
    assert "burst; 95 % interval of the factor" in found.headline
    assert "of what knowing every length would bring" in found.kept
    assert "longest tenth" in found.price


def test_a_headline_leaves_a_given_name_as_it_is() -> None:
    renamed = queued().replace({"policy": {"pars": "challenger"}})
    assert findings(renamed, policy="challenger").headline.startswith("challenger answers ")


def test_no_gain_is_said_too() -> None:
    found = findings(queued((0.1, 0.2)), load=0.1)
    assert "makes no difference to first-come-first-served" in found.headline
    assert "at none of the measured loads (0.1, 0.2" in found.matters


def test_loss_is_said_too() -> None:
    swapped = queued().replace({"policy": {"fcfs": "pars", "pars": "fcfs"}})
    assert "is worse than first-come-first-served by a factor of" in findings(swapped).headline


def test_the_load_from_which_on_it_matters_is_said() -> None:
    found = findings(queued((0.2, 1.5)), load=1.5)
    assert "matters from 1.5 × capacity on" in found.matters
    assert "1.5 × capacity; 95 % interval of the factor" in found.headline


def test_one_load_does_not_say_when_it_matters() -> None:
    assert "Only one load was measured" in findings(queued()).matters


def test_a_lone_policy_has_nothing_to_be_compared_with() -> None:
    found = findings(queued(policies=("endpoint",)))
    assert found.headline.startswith("The endpoint's own order: ")
    assert found.price == ""
