"""Bursts that tell the costs of a step apart."""

import numpy as np

from benchmarks.cost.designed_bursts import designed_bursts
from benchmarks.cost.measure_engine import FRAMING, EngineMeasurementConfig


def test_sizes_go_from_one_request_to_more_than_fit() -> None:
    sizes = [len(one.words) for one in designed_bursts(6, 48, 1000) if one.kind == "decode"]
    assert sizes == [1, 2, 4, 6, 12]


def test_no_cost_of_a_step_is_the_sum_of_others() -> None:
    """One row a step that only decodes: 1, sequences, tokens in context, the longest; their columns are independent."""
    decoding = [one for one in designed_bursts(16, 48, 1000) if one.output_tokens == 48 and len(one.words) <= 16]
    rows = np.array([[1, len(one.words), sum(one.words), max(one.words)] for one in decoding], dtype=float)
    assert np.linalg.cond(rows / rows.max(axis=0)) < 30


def test_contexts_are_as_long_as_the_model_takes() -> None:
    config = EngineMeasurementConfig(target_llm="llm", max_num_seqs=4, max_model_len=512, output_tokens=32)
    assert max(max(one.words) for one in config.sweep) == 512 - 32 - FRAMING
