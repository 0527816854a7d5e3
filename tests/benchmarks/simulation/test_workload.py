"""Where simulated requests come from."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.simulation.config import SimulationConfig
from benchmarks.simulation.workload import arrival_process, read_workload
from registry.errors import InvalidInput


@pytest.fixture
def config(tmp_path: Path) -> SimulationConfig:
    """A length log beside a trace of other traffic, in no order, with more arrivals than requests."""
    rows = [{"prompt": f"tell me {i}", "output_tokens": 1 + i % 9} for i in range(200)]
    (tmp_path / "lengths.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    pd.DataFrame({"arrival_s": np.arange(40.0)[::-1] + 7}).to_parquet(tmp_path / "trace.parquet")
    return SimulationConfig(
        lengths=tmp_path / "lengths.jsonl", trace=tmp_path / "trace.parquet", requests=30, arrivals="recorded"
    )


def test_requests_of_a_length_log_arrive_as_the_first_ones_of_a_trace_did(config: SimulationConfig) -> None:
    traffic = read_workload(config)
    assert traffic.arrival_s.tolist() == list(range(30))
    assert arrival_process(config, traffic, 0.0).send_times_s(30, seed=0).tolist() == list(range(30))
    assert arrival_process(config, traffic, 2.0).send_times_s(30, seed=0).tolist() == [one / 2 for one in range(30)]


def test_trace_that_no_arrival_is_taken_from_may_be_short(config: SimulationConfig) -> None:
    assert len(read_workload(replace(config, requests=60, arrivals="burst"))) == 60
    with pytest.raises(InvalidInput, match="has 40 for 60; ask for fewer"):
        read_workload(replace(config, requests=60))


def test_a_request_that_is_drawn_again_is_no_new_evidence(config: SimulationConfig) -> None:
    once, again = (read_workload(replace(config, requests=requests, arrivals="burst")) for requests in (5, 60))
    assert once.clusters is None
    assert again.clusters is not None
    assert again.request_numbers.tolist() == list(range(60))
    assert len(np.unique(again.clusters)) < 60
    assert again.prompts is not None
    assert len(set(zip(again.clusters.tolist(), again.prompts, strict=True))) == len(np.unique(again.clusters))


def test_trace_that_is_no_parquet_file_is_a_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 and nothing more")
    with pytest.raises(InvalidInput, match="must be a parquet file"):
        read_workload(SimulationConfig(trace=tmp_path / "cut.parquet", requests=2))


def test_half_an_emoji_is_simulated_with_and_without_shared_beginnings(tmp_path: Path) -> None:
    rows = [{"prompt": f"tell \ud83d {i}", "output_tokens": 1 + i % 9, "arrival_s": i} for i in range(200)]
    (tmp_path / "log.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    for source in ({"lengths": tmp_path / "log.jsonl"}, {"trace": tmp_path / "log.jsonl"}):
        traffic = read_workload(SimulationConfig(**source, requests=10, prefix_caching="on"))
        assert traffic.prompts is not None
        assert all(prompt.startswith("tell ? ") for prompt in traffic.prompts)


def test_workload_says_how_its_log_was_read(tmp_path: Path) -> None:
    rows = [{"prompt": f"tell {i}", "response_tokens": 1 + i % 9} for i in range(200)]
    (tmp_path / "log.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    traffic = read_workload(SimulationConfig(lengths=tmp_path / "log.jsonl", requests=10))
    assert "Lengths of 200 rows were read from the column 'response_tokens'." in traffic.notes
