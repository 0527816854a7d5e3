"""What a measurement of the journal's cost says."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.cost.journal_cost import JournalCost, JournalCostConfig
from registry.errors import InvalidInput


def test_the_interval_is_that_of_the_mean_over_pairs() -> None:
    tokens = {"noted": [99.0, 98.0, 100.0], "unnoted": [100.0, 100.0, 100.0]}
    bursts = pd.DataFrame({"pair": [0, 1, 2], **tokens, "noted_cpu_us": [300.0] * 3, "unnoted_cpu_us": [250.0] * 3})
    cost = JournalCost(bursts)
    assert cost.metrics["throughput_ratio"] == pytest.approx(0.99, abs=1e-3)
    assert cost.metrics["throughput_ratio_low"] == pytest.approx(0.965, abs=2e-3)
    assert (cost.metrics["journal_cpu_us_low"], cost.metrics["journal_cpu_us_high"]) == (50, 50)
    assert "throughput_ratio: 0.99" in cost.text


def test_what_has_no_interval_is_refused() -> None:
    with pytest.raises(InvalidInput, match="pairs must be at least 2"):
        JournalCostConfig(lengths=Path("log.parquet"), target_llm="llm", pairs=1)
