"""A simulation's settings."""

from pathlib import Path

import pytest

from benchmarks.simulation.config import SimulationConfig
from registry.errors import InvalidInput


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"trace": None}, "needs traffic"),
        ({"repeats": 3}, "even"),
        ({"tau": 1.5}, "tau must be in"),
        ({"requests": 1}, "at least 2"),
        ({"max_num_seqs": 0}, "max_num_seqs must be at least 1"),
        ({"loads": (0.5,)}, "a burst has no rate"),
        ({"arrivals": "poisson"}, "need a rate"),
        ({"arrivals": "poisson", "loads": (0.0,)}, "load must be above 0"),
        ({"arrivals": "recorded", "lengths": Path("log"), "trace": None}, "need a trace"),
    ],
)
def test_what_cannot_be_simulated_is_refused(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        SimulationConfig(**({"trace": Path("trace.parquet")} | changes))  # type: ignore[arg-type]


def test_ranking_time_that_is_given_replaces_the_measured_one() -> None:
    cost = SimulationConfig(trace=Path("trace"), ranking_ms=5.0).step_cost
    assert (cost.ranking_s, cost.scoring_s) == (0.005, 0.005)
