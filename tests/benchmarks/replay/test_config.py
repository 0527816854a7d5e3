"""A replay's settings."""

from pathlib import Path

import pytest

from benchmarks.replay.config import ReplayConfig
from registry.errors import InvalidInput


def config(**changes: object) -> ReplayConfig:
    return ReplayConfig(**({"lengths": Path("log.jsonl"), "target_llm": "llm"} | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["requests", "repeats", "control_prompts", "max_output_tokens"])
def test_replay_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match=f"{name} must be at least 1, but got 0"):
        config(**{name: 0})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"loads": (1.0,)}, "a burst has no rate"),
        ({"arrivals": "poisson"}, "give loads=0.5,1.5"),
        ({"arrivals": "gamma"}, "give loads=0.5,1.5"),
        ({"arrivals": "recorded"}, "give trace=FILE"),
        ({"arrivals": "poisson", "loads": (1.0, 0.0)}, "every load must be above 0, but got 1.0, 0.0"),
        ({"warm_up_requests": -1}, "warm_up_requests must be at least 0, but got -1"),
        ({"capacity_per_s": -1.0}, "capacity_per_s must be at least 0"),
        ({"late_share": 1.5}, "late_share must be between 0 and 1, but got 1.5"),
        ({"url": "http://host", "cap_by_max_tokens": "on"}, "caps as its operator has set it"),
        ({"patience_s": -1.0}, "patience_s must be at least 0, but got -1.0"),
    ],
)
def test_what_cannot_be_replayed_is_refused(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        config(**changes)


def test_capacity_is_measured_where_loads_need_it() -> None:
    assert config(arrivals="poisson", loads=(0.5,)).needs_capacity
    assert not config(arrivals="poisson", loads=(0.5,), capacity_per_s=3.0).needs_capacity
    assert not config().needs_capacity


def test_trace_keeps_its_own_rate_without_loads(tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    trace.write_text('{"arrival_s": 3.0}\n{"arrival_s": 1.0}\n')
    assert list(config(arrivals="recorded", trace=trace).arrival_process().send_times_s(2, 0)) == [0.0, 2.0]


def test_odd_number_of_repeats_is_refused() -> None:
    with pytest.raises(InvalidInput, match="even"):
        config(repeats=3)


def test_where_no_length_is_imposed_every_request_has_the_same_limit_and_the_cap_is_no_leak() -> None:
    imposed, own = config(), config(impose_lengths="off", max_output_tokens=99)
    assert (imposed.limit_tokens, imposed.is_capped) == (None, "off")
    assert (own.limit_tokens, own.is_capped) == (99, "on")
    assert config(cap_by_max_tokens="on").is_capped == "on"
