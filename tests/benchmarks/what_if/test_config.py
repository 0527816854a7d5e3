"""A what-if's settings."""

from pathlib import Path

import pytest

from benchmarks.what_if.config import WhatIfConfig
from registry.errors import InvalidInput


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tau": 1.2}, "tau must be in"),
        ({"taus": (0.5, -0.1)}, "taus must be in"),
        ({"patience_s": -1.0}, "patience must be at least 0"),
        ({"kv_cache_tokens": -1}, "kv_cache_tokens must be at least 0"),
        ({"loads": (0.0,)}, "loads must be above 0"),
        ({"sweep_requests": 0}, "sweep_requests must be at least 1, but got 0"),
        ({"max_simulated_tokens": 0}, "max_simulated_tokens must be at least 1, but got 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        WhatIfConfig(**({"log": Path("log.jsonl")} | changes))  # type: ignore[arg-type]
