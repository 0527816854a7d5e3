"""A what-if's settings."""

from dataclasses import MISSING, fields
from pathlib import Path

import pytest
import yaml

from benchmarks.what_if.config import WhatIfConfig

PROJECT = yaml.safe_load((Path(__file__).parents[3] / "MLproject").read_text())


def as_text(value: object) -> object:
    return "" if value is None else ",".join(map(str, value)) if isinstance(value, tuple) else value


def test_mlproject_has_every_setting_with_its_default() -> None:
    entry = PROJECT["entry_points"]["what-if"]
    written = {name: one["default"] for name, one in entry["parameters"].items() if isinstance(one, dict)}
    defaults = {one.name: one.default for one in fields(WhatIfConfig) if one.default is not MISSING}
    assert written == {name: as_text(value) for name, value in defaults.items()}
    assert all(f"{{{name}}}" in entry["command"] for name in entry["parameters"])


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
    with pytest.raises(ValueError, match=reason):
        WhatIfConfig(**({"log": Path("log.jsonl")} | changes))  # type: ignore[arg-type]
