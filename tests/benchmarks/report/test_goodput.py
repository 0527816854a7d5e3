"""Up to which rate requests are answered in time."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.report.comparison import compare
from benchmarks.report.goodput import MET, Objectives, goodput, goodput_sentences, goodputs
from benchmarks.simulation.config import SimulationConfig
from registry.errors import InvalidInput
from tests.benchmarks.queueing import queued

ANSWERS = pd.DataFrame({"output_tokens": [1, 11, 11, 11], "ttft_s": [2.0, 2.1, 1, 1], "e2e_s": [2.0, 3, 3, 3.1]})


def falling(shares: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"policy": "pars", "load": np.arange(1, len(shares) + 1) / 2, MET: shares})


@pytest.mark.parametrize(
    ("objectives", "met"),
    [
        (Objectives(), [True, False, True, False]),  # too late a start; 0.21 s a token
        (Objectives(ttft_objective_s=0), [True, True, True, False]),
        (Objectives(ttft_objective_s=0, per_token_objective_s=0, e2e_objective_s=2), [True, False, False, False]),
    ],
)
def test_a_request_is_good_if_it_meets_every_time(objectives: Objectives, met: list[bool]) -> None:
    assert objectives.met_objectives(ANSWERS).tolist() == met


@pytest.mark.parametrize(
    ("shares", "highest"),
    [([1.0, 0.95, 0.85], 1.25), ([1.0, 0.8, 1.0], 0.75), ([0.95, 0.9, 0.9], 1.5), ([0.8, 1.0, 1.0], np.nan)],
)
def test_goodput_is_the_rate_up_to_which_every_load_keeps_the_share(shares: list[float], highest: float) -> None:
    assert goodput(falling(shares), "pars", 0.9) == pytest.approx(highest, nan_ok=True)


def test_a_burst_or_one_load_has_no_goodput() -> None:
    assert goodputs(falling([1.0]).assign(load=np.nan)) == {}
    assert goodputs(falling([1.0])) == {}
    (met, why) = goodput_sentences(falling([0.5]), 0.5, Objectives(), 3.0)
    assert met == (
        "Answered in time (2 s to the first token, 0.2 s a token after it, 60 s to the last token): PARS 50 %."
    )
    assert "needs two loads" in why


def test_ordering_raises_what_is_answered_in_time_under_overload() -> None:
    table = compare(queued((0.2, 1.5), requests=600), Objectives(ttft_objective_s=5.0))
    by_policy = table[table.load == 1.5].set_index("policy")[MET]
    assert by_policy["oracle"] > by_policy["fcfs"]
    (_, said) = goodput_sentences(table, 1.5, Objectives(), 4.0)
    assert "capacity is 4 requests per second" in said
    assert goodputs(table)["oracle"]["goodput_90"] >= goodputs(table)["fcfs"]["goodput_90"]


def test_a_time_below_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="ttft_objective_s must be at least 0 seconds, but got -1"):
        SimulationConfig(trace=tmp_path, ttft_objective_s=-1.0)
