"""The replay's client held against vLLM's own."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.cross_check import cross_check
from benchmarks.cross_check.bench_serve import answers_of
from benchmarks.cross_check.config import CrossCheckConfig
from benchmarks.cross_check.cross_check import OURS, VLLMS, compare
from benchmarks.endpoint.endpoint import connect
from benchmarks.endpoint.plan import PlannedRequest
from benchmarks.failures import ReplayError
from registry.errors import InvalidInput
from tests.benchmarks.endpoints import FakeEndpoint, serving

DETAILS: dict[str, list[object]] = {
    "input_lens": [4, 5],
    "output_lens": [3, 1],
    "start_times": [100.0, 100.5],
    "ttfts": [0.2, 0.3],
    "itls": [[0.1, 0.4], []],
    "errors": ["", ""],
}


def config(**changes: object) -> CrossCheckConfig:
    return CrossCheckConfig(**({"lengths": Path("log"), "target_llm": "llm"} | changes))  # type: ignore[arg-type]


def test_details_of_vllms_client_are_answers() -> None:
    rows = answers_of(DETAILS)
    assert rows.sent_s.tolist() == [0.0, 0.5]
    assert rows.e2e_s.tolist() == pytest.approx([0.7, 0.3])
    assert rows.output_tokens.tolist() == [3, 1]


def test_failed_request_of_vllms_client_ends_the_check() -> None:
    with pytest.raises(ReplayError, match="1 failed: no room"):
        answers_of({**DETAILS, "errors": ["", "no room"]})


def test_ratio_is_of_all_pairs_and_its_range_of_each() -> None:
    e2e_s = {(OURS, 0): 1.1, (VLLMS, 0): 1.0, (OURS, 1): 2.7, (VLLMS, 1): 3.0}
    rows = [
        {"client": client, "pair": pair, "e2e_s": at, "ttft_s": at / 2, "output_tokens": 10}
        for (client, pair), at in e2e_s.items()
    ]
    table = compare(pd.DataFrame(rows))
    assert table.loc["e2e_s", "ratio"] == pytest.approx(3.8 / 4)
    assert (table.loc["ttft_s", "ratio_min"], table.loc["ttft_s", "ratio_max"]) == pytest.approx((0.9, 1.1))
    assert table.loc["s_per_token", OURS] == pytest.approx(0.19)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"pairs": 0}, "pairs must be at least 1, but got 0"), ({"rate_per_s": -1.0}, "at least 0, but got -1.0")],
)
def test_what_compares_nothing_is_refused(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        config(**changes)


@pytest.mark.slow
@pytest.mark.parametrize("api", ["completions", "chat"])
def test_both_clients_send_the_same_requests_at_the_same_times(api: str, demo_llm: Path) -> None:
    fake = FakeEndpoint(owner="vllm")
    chats = ([{"role": "user", "content": f"prompt {i}"}] if api == "chat" else None for i in range(8))
    planned = [PlannedRequest(f"prompt {i}", 2 + i, 0.0, chat=chat) for i, chat in enumerate(chats)]
    with serving(fake) as url:
        given = config(api=api, llm_tokenizer=str(demo_llm), rate_per_s=20.0, pairs=1)
        _, vllms, ours = fake.bodies, *cross_check.measure(given, connect(url), planned)
    assert vllms.client.unique() == [VLLMS]
    assert ours.client.unique() == [OURS]
    for name in ("output_tokens", "sent_s"):
        assert vllms[name].tolist() == pytest.approx(ours[name].tolist())
    assert vllms.sent_s.max() > 0.1
    sent = [fake.bodies[start : start + 8] for start in (0, 8, 16)]  # the one that is not counted, vLLM's, ours
    assert len({one["cache_salt"] for one in fake.bodies}) == 3
    for name in ("ignore_eos", "temperature", "max_tokens" if api == "completions" else "max_completion_tokens"):
        assert len({tuple(one[name] for one in bodies) for bodies in sent}) == 1
    assert all(one["priority"] > 0 for one in fake.bodies)
