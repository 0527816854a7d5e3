"""The comparison table."""

import pandas as pd
import pytest

from benchmarks.report import summary


def answers(policy: str, e2e_s: list[float], repeat: int = 0) -> pd.DataFrame:
    rows = {"output_tokens": [10, 100], "sent_s": 0.0, "ttft_s": [0.5 * one for one in e2e_s], "e2e_s": e2e_s}
    return pd.DataFrame(rows).assign(policy=policy, repeat=repeat)


def test_s_per_token_is_the_mean_over_requests() -> None:
    table = summary.summarise(pd.concat([answers("fcfs", [20.0, 10.0]), answers("pars", [1.0, 20.0])]))
    assert table.loc["fcfs", "s_per_token"] == pytest.approx((2.0 + 0.1) / 2)
    assert table.loc["pars", "s_per_token"] == pytest.approx((0.1 + 0.2) / 2)
    assert table.loc["fcfs", summary.RATIO] == 1
    assert table.loc["pars", summary.RATIO] == pytest.approx(7.0)
    assert table.loc["pars", "max_wait_s"] == 10.0
    assert table.loc["pars", "total_s_per_total_tokens"] == pytest.approx(21 / 110)
    assert table.loc["pars", "output_tokens_per_s"] == pytest.approx(110 / 20)


def test_spread_is_over_pairs_of_repeats() -> None:
    rows = [answers("fcfs", [20.0, 20.0], repeat) for repeat in range(4)]
    rows += [answers("pars", [one, one], repeat) for repeat, one in enumerate([10.0, 30.0, 5.0, 5.0])]
    table = summary.summarise(pd.concat(rows))
    assert table.loc["pars", f"{summary.RATIO}_min"] == pytest.approx(1.0)
    assert table.loc["pars", f"{summary.RATIO}_max"] == pytest.approx(4.0)


def test_text_shows_each_policy_beside_fcfs() -> None:
    table = summary.summarise(pd.concat([answers("fcfs", [20.0, 10.0]), answers("pars", [1.0, 20.0])]))
    assert "FCFS / it" in summary.as_text(table)
    assert [line.split()[0] for line in summary.as_text(table).splitlines()[-2:]] == ["fcfs", "pars"]
