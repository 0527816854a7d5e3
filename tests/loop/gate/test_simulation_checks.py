"""What a challenger would bring in a queue: simulated where requests wait."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.simulation.engine.run import Run, simulate_all
from loop.fresh.fresh_requests import FreshRequests
from loop.gate.checks.scored import Scored
from loop.gate.checks.simulation_checks import simulation_checks
from loop.gate.config import GateConfig
from registry.artefact.card import RankerCard
from tests.loop.gate.tries import noisy_pair, shuffled
from tests.rankers import write_ranker

REQUESTS = 120
CONFIG = GateConfig(target_llm="demo-llm", max_num_seqs=4, simulated_tokens=10_000)


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> RankerCard:
    return RankerCard.read(write_ranker(tmp_path_factory.mktemp("card"), instant_weight=1.0))


def coming(gap_s: float) -> tuple[FreshRequests, Scored, Scored]:
    requests, one, other = noisy_pair(REQUESTS, 0)
    rng = np.random.default_rng(1)
    arrival_s = 1_790_000_000.0 + np.cumsum(rng.exponential(gap_s, REQUESTS))
    return replace(requests, arrival_s=arrival_s, prompt_tokens=np.full(REQUESTS, 20.0)), one, other


def test_a_challenger_that_makes_requests_wait_longer_is_found_out(card: RankerCard) -> None:
    requests, one, other = coming(0.5)
    cards = {"challenger": card, "champion": card}
    for challenger, is_met in ((one, True), (shuffled(one, 0), False)):
        scores = {"challenger": challenger, "champion": other}
        (found,) = simulation_checks(CONFIG, requests, 1.0, scores, cards, simulate_all).findings
        assert found.is_met is is_met, found.says
        assert "seconds per token" in found.says


def test_where_nothing_waits_that_is_said_unless_only_a_share_of_what_came_is_judged(card: RankerCard) -> None:
    requests, one, other = coming(60.0)
    scores, cards = {"challenger": one, "champion": other}, {"challenger": card, "champion": card}
    checked = simulation_checks(CONFIG, requests, 1.0, scores, cards, simulate_all)
    assert checked.findings == ()
    assert "nothing waits" in checked.notes[0]
    assert simulation_checks(CONFIG, requests, 0.002, scores, cards, simulate_all).findings


def test_where_nobody_knows_when_requests_came_nothing_is_simulated(card: RankerCard) -> None:
    def never(_: Sequence[Run]) -> list[pd.DataFrame]:
        raise AssertionError

    requests, one, _ = noisy_pair(REQUESTS, 0)
    checked = simulation_checks(CONFIG, requests, 1.0, {"challenger": one, "champion": one}, {}, never)
    assert "too few requests say when they came" in checked.notes[0]
