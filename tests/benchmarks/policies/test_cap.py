"""A planted leak: places under the server's cap."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.policies.cap import capped
from registry.artefact.length_distribution import LengthDistribution
from registry.ranker import Ranker
from serving.champion.ranker_sources import Champion
from serving.champion.served_rankers import EngineRankers
from serving.request_stages import Size
from tests.rankers import write_ranker

PROMPTS = ["tell me more " * (1 + one) for one in range(25)]
CAPS = np.random.default_rng(0).integers(1, 400, 25)


@pytest.mark.parametrize("band", [0.0, 0.7])
def test_capped_places_are_those_that_a_server_gives(tmp_path: Path, band: float) -> None:
    distribution = LengthDistribution.of(np.geomspace(1, 1000, 100), band_log_tokens=band)
    ranker = Ranker.load(write_ranker(tmp_path / "ranker", distribution=distribution))
    server = EngineRankers({"demo-llm": SimpleNamespace(champion=Champion(1, ranker))}, {}, "demo-llm")
    served = [
        server.ranker("demo-llm").predict(prompt, Size(float(cap))).quantile
        for prompt, cap in zip(PROMPTS, CAPS, strict=True)
    ]
    found = capped(ranker.quantiles_of(PROMPTS), distribution, CAPS)
    assert found == pytest.approx(served, abs=1e-12)
    assert (found < ranker.quantiles_of(PROMPTS)).any()
