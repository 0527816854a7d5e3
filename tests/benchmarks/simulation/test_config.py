"""A simulation's settings."""

from dataclasses import MISSING, fields
from pathlib import Path

import pytest
import yaml

from benchmarks.cost.measure_engine import CalibrationConfig
from benchmarks.simulation.config import SimulationConfig
from benchmarks.simulation.fleet.config import FleetConfig

PROJECT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("entry_point", "settings"),
    [("simulate", SimulationConfig), ("calibrate", CalibrationConfig), ("fleet", FleetConfig)],
)
def test_mlproject_has_every_setting_with_its_default(entry_point: str, settings: type) -> None:
    entry = yaml.safe_load((PROJECT / "MLproject").read_text())["entry_points"][entry_point]
    written = {name: one["default"] for name, one in entry["parameters"].items() if isinstance(one, dict)}
    defaults = {one.name: one.default for one in fields(settings) if one.default is not MISSING}
    texts = {name: ",".join(value) if isinstance(value, tuple) else value for name, value in defaults.items()}
    assert written == {name: "" if value is None else value for name, value in texts.items()}
    assert all(f"{{{name}}}" in entry["command"] for name in entry["parameters"])


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
    with pytest.raises(ValueError, match=reason):
        SimulationConfig(**({"trace": Path("trace.parquet")} | changes))  # type: ignore[arg-type]


def test_ranking_time_that_is_given_replaces_the_measured_one() -> None:
    cost = SimulationConfig(trace=Path("trace"), ranking_ms=5.0).step_cost
    assert (cost.ranking_s, cost.scoring_s) == (0.005, 0.005)
