"""What a measurement of the ranking's cost says."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.cost.overhead import Overhead, OverheadConfig
from registry.errors import InvalidInput


@pytest.fixture
def overhead() -> Overhead:
    tokens = {"ranked": [90.0, 99.0], "unranked": [100.0, 100.0]}
    bursts = pd.DataFrame({"pair": [0, 1], **tokens, "ranked_cpu_ms": [3.0, 4.0], "unranked_cpu_ms": [2.5, 3.5]})
    return Overhead(bursts, shares={"burst_fail_open_share": 0.01}, milliseconds={"encoder_p50_ms": 4.0})


def test_ratio_is_of_all_bursts_and_its_spread_of_pairs(overhead: Overhead) -> None:
    assert overhead.metrics == {
        "throughput_ratio": pytest.approx(0.945),
        "throughput_ratio_min": pytest.approx(0.9),
        "throughput_ratio_max": pytest.approx(0.99),
        "ranking_cpu_ms": pytest.approx(0.5),
        "burst_fail_open_share": 0.01,
        "encoder_p50_ms": 4.0,
    }


def test_text_shows_each_pair_and_each_number(overhead: Overhead) -> None:
    for shown in ("0.900", "0.990", "throughput_ratio: 0.945", "encoder_p50_ms: 4.000"):
        assert shown in overhead.text


@pytest.mark.parametrize("name", ["requests", "pairs", "rate_requests"])
def test_what_measures_nothing_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match=f"{name} must be at least 1, but got 0"):
        OverheadConfig(lengths=Path("log.parquet"), target_llm="llm", **{name: 0})  # type: ignore[arg-type]
