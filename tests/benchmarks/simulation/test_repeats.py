"""The same requests, sent again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.answers import ALONE
from benchmarks.policies.policy_list import Policy
from benchmarks.simulation.config import SimulationConfig
from benchmarks.simulation.orders import orders_of
from benchmarks.simulation.repeats import Repeat, loads, repeats
from benchmarks.simulation.workload import read_workload


@pytest.fixture
def config(tmp_path: Path) -> SimulationConfig:
    rows = {"arrival_s": np.arange(20.0), "prompt_tokens": np.arange(20) + 1, "output_tokens": np.arange(20) + 1}
    pd.DataFrame(rows).to_parquet(path := tmp_path / "trace.parquet")
    return SimulationConfig(trace=path, requests=20, arrivals="poisson", loads=(1.0,), repeats=4, order_by="length")


def of(config: SimulationConfig, kind: str, load: float = 1.0) -> list[Repeat]:
    workload = read_workload(config)
    return list(repeats(config, Policy(kind, kind, 120.0), orders_of({kind}, config, workload), workload, load, 2.0))


def test_every_second_run_sends_in_the_opposite_order_at_the_same_times(config: SimulationConfig) -> None:
    first, second, third, _ = of(config, "oracle")
    assert first.traffic.output_tokens.tolist() == second.traffic.output_tokens.tolist()[::-1]
    assert first.traffic.arrival_s.tolist() == second.traffic.arrival_s.tolist()
    assert first.traffic.output_tokens.tolist() != third.traffic.output_tokens.tolist()


def test_a_request_keeps_its_number_in_every_run(config: SimulationConfig) -> None:
    runs = [
        dict(zip(one.traffic.request_numbers, one.traffic.output_tokens, strict=True)) for one in of(config, "fcfs")
    ]
    assert set(runs[0]) == set(range(20))
    assert all(run == runs[0] for run in runs)


def test_a_place_goes_with_its_request_and_the_mirrored_control_turns_it_over(config: SimulationConfig) -> None:
    for kind, is_mirrored in (("oracle", False), ("control", True)):
        first, second, *_ = of(config, kind)
        assert first.order.quantiles is not None
        assert second.order.quantiles is not None
        turned = 1 - second.order.quantiles if is_mirrored else second.order.quantiles
        assert turned[::-1] == pytest.approx(first.order.quantiles)


def test_recorded_traffic_is_sent_once_as_it_came(config: SimulationConfig) -> None:
    (only,) = of(replace(config, arrivals="recorded"), "oracle")
    assert sorted(only.traffic.output_tokens) == only.traffic.output_tokens.tolist()


def test_requests_one_at_a_time_are_the_first_ones_once(config: SimulationConfig) -> None:
    (only,) = of(replace(config, low_load_requests=5), "control", ALONE)
    assert only.traffic.request_numbers.tolist() == read_workload(config).request_numbers[:5].tolist()
    assert (np.diff(only.traffic.arrival_s) > 0).all()
    assert loads(config) == (1.0, ALONE)
    assert loads(replace(config, low_load_requests=0)) == (1.0,)
