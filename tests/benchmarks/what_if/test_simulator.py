"""A what-if with vLLM's own scheduler."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.places import places, shuffled_places
from benchmarks.simulation.step_cost import StepCost
from benchmarks.what_if.config import WhatIfConfig
from benchmarks.what_if.simulator import Simulator
from benchmarks.what_if.study import Orders, study
from registry.errors import InvalidInput
from tests.benchmarks.what_if.conftest import SERVERS
from traffic.served_log import read_served_log


def test_settings_of_a_case_reach_the_engine(busy_log: Path) -> None:
    config = WhatIfConfig(
        log=busy_log,
        max_num_seqs=SERVERS,
        sweep_requests=100,
        max_requests=100,
        loads=(1.5,),
        taus=(0.0, 1.0),
        patiences_s=(1.0,),
        seqs_factors=(4.0,),
    )
    simulator = Simulator(config, StepCost(fixed_s=0.02, per_token_s=0.0, per_sequence_s=0.0))
    log = read_served_log(config).window(0, 100)
    known = places(log.output_tokens)
    studied = study(config, Orders(log, shuffled_places(log.output_tokens, 0), known, known), simulator)
    mean = studied.settings.set_index(["study", "value", "policy"]).s_per_token
    assert mean["tau", 1.0, "pars"] < mean["tau", 0.0, "pars"]
    assert mean["max_num_seqs", 4.0 * SERVERS, "fcfs"] < mean["max_num_seqs", 1.0 * SERVERS, "fcfs"]
    assert mean["patience_s", config.patience_s, "pars"] == mean["tau", 1.0, "pars"]
    assert not studied.answers.isna().drop(columns="load").any(axis=None)
    assert np.isfinite(studied.capacity_per_s)


def test_what_was_taken_for_the_engine_is_said(busy_log: Path) -> None:
    cost = StepCost(fixed_s=0.018, per_token_s=0.0002, per_sequence_s=0.0, measured_on="a machine")
    sentence = Simulator(WhatIfConfig(log=busy_log), cost).sentence
    for words in ("vLLM's own scheduler", "18 ms", "a machine"):
        assert words in sentence


def test_requests_that_no_engine_holds_are_left_out(busy_log: Path) -> None:
    log = read_served_log(WhatIfConfig(log=busy_log))
    longest = int(np.sort(log.prompt_tokens + log.output_tokens)[-3])
    fitting = log.that_fit(longest)
    assert len(fitting) == len(log) - 2
    assert fitting.notes[-1] == f"2 requests longer than {longest:,} tokens were left out."
    assert log.that_fit(10**9) is log
    with pytest.raises(InvalidInput, match="at least two requests must fit"):
        log.that_fit(1)
