"""The first screen of a report: the questions of somebody who decides, each with an answer."""

import numpy as np
import pandas as pd

from benchmarks.report.comparison import compare
from benchmarks.report.page.evidence import Evidence
from benchmarks.report.page.findings import find
from benchmarks.report.page.first_screen import FirstScreen, first_screen
from tests.benchmarks.queueing import queued


def screen(answers: pd.DataFrame, load: float = np.nan, advice: tuple[str, ...] = ()) -> FirstScreen:
    evidence = Evidence(title="t", answers=answers, provenance=(), settings={}, load=load, advice=advice)
    table = compare(answers)
    return first_screen(evidence, table, find(evidence, table))


def test_a_gain_is_worth_it_and_every_question_has_an_answer() -> None:
    first = screen(queued())
    assert first.verdict.startswith("Worth it here: ")
    assert list(first.answers) == [
        "Is it worth it?",
        "From which load on?",
        "Who pays?",
        "In time?",
        "How sure?",
        "What next?",
    ]
    assert "600 answers in 2 runs" in first.answers["How sure?"]
    assert "The control, which knows nothing, comes to " in first.answers["How sure?"]
    assert "pars yesterday" in first.answers["What next?"]


def test_no_difference_and_harm_say_to_leave_it_off() -> None:
    assert screen(queued((0.1, 0.2)), load=0.1).verdict == "No difference here: leave it as it is"
    swapped = screen(queued().replace({"policy": {"fcfs": "pars", "pars": "fcfs"}}))
    assert swapped.verdict.startswith("Worse than first come, first served")
    assert "Leave ordering off" in swapped.answers["What next?"]


def test_harm_that_nobody_notices_is_no_difference_however_sure_it_is() -> None:
    fcfs = queued(policies=("fcfs",))
    same = pd.concat([fcfs, fcfs.assign(policy="pars", e2e_s=fcfs.e2e_s * 1.001)], ignore_index=True)
    first = screen(same)
    assert first.verdict == "No difference here: leave it as it is"
    assert "makes no difference" in first.answers["Is it worth it?"]


def test_what_is_advised_comes_before_what_follows_from_the_verdict() -> None:
    assert screen(queued(), advice=("Do this.", "And that.")).answers["What next?"] == "Do this."


def test_few_answers_are_not_taken_for_a_gain() -> None:
    answers = queued(requests=12, repeats=1)
    noisy = answers.assign(e2e_s=answers.e2e_s * np.random.default_rng(0).lognormal(0, 2, len(answers)))
    assert screen(noisy).verdict == "Not known yet: too few answers to tell"


def test_a_lone_policy_is_told_what_to_run_beside_it() -> None:
    first = screen(queued(policies=("endpoint",)))
    assert first.verdict == "Nothing to compare with"
    assert "policies=fcfs" in first.answers["What next?"]
    assert "Who pays?" not in first.answers
