"""From answers to the comparison table. Pure."""

import numpy as np
import pandas as pd

RATIO = "fcfs_over_policy"
"""Of mean seconds per token."""
PER_REQUEST = ("preemptions", "recomputed_tokens")
"""What a full KV cache did to a request, on average; how much was computed anew only a simulation knows."""
E2E_RATIO = "fcfs_over_policy_e2e"
"""Of mean end-to-end seconds."""


def summarise(answers: pd.DataFrame) -> pd.DataFrame:
    """One row a policy from one row an answer (`policy, repeat, output_tokens, sent_s, ttft_s, e2e_s`).

    `s_per_token` is the mean over requests of end-to-end seconds / output tokens; `fcfs_over_policy` compares it
    with first-come-first-served (NaN where that was not among them), and its `_min` and `_max` are the spread over
    pairs of repeats (a plan and its reverse); `fcfs_over_policy_e2e` compares mean end-to-end seconds. The rows stand
    in the order in which the policies first appear.
    """
    rows = answers.assign(s_per_token=answers.e2e_s / answers.output_tokens)
    table = pd.DataFrame({policy: _row(one) for policy, one in rows.groupby("policy", sort=False)}).T
    pairs = rows.groupby([rows.repeat // 2, "policy"]).s_per_token.mean().unstack()
    ratios = pairs.rdiv(pairs.get("fcfs", np.nan), axis=0)
    table.insert(1, RATIO, table["s_per_token"].rdiv(table["s_per_token"].get("fcfs", np.nan)))
    table.insert(2, f"{RATIO}_min", ratios.min())
    table.insert(3, f"{RATIO}_max", ratios.max())
    table.insert(4, E2E_RATIO, table["e2e_s_mean"].rdiv(table["e2e_s_mean"].get("fcfs", np.nan)))
    return table.rename_axis("policy")


def _row(one: pd.DataFrame) -> pd.Series:
    makespan_s = (one.sent_s + one.e2e_s).groupby(one.repeat).max().sum()
    row: dict[str, float] = {"s_per_token": one.s_per_token.mean()}
    for name in ("s_per_token", "ttft_s", "e2e_s"):
        row |= {f"{name}_p{q}": float(one[name].quantile(q / 100)) for q in (50, 90, 99)}
    return pd.Series(
        row
        | {
            "ttft_s_mean": one.ttft_s.mean(),
            "e2e_s_mean": one.e2e_s.mean(),
            "max_wait_s": one.ttft_s.max(),
            "total_s_per_total_tokens": one.e2e_s.sum() / one.output_tokens.sum(),
            "output_tokens_per_s": one.output_tokens.sum() / makespan_s,
        }
        | {name: float(one[name].mean()) for name in PER_REQUEST if name in one}
    )


def as_text(table: pd.DataFrame) -> str:
    """The columns that a person reads first, for a terminal."""
    shown = {
        "s_per_token": "s/token",
        RATIO: "FCFS / it",
        "e2e_s_mean": "end-to-end s",
        E2E_RATIO: "FCFS / it (e2e)",
        "s_per_token_p50": "s/token p50",
        "s_per_token_p90": "s/token p90",
        "ttft_s_p50": "TTFT p50 s",
        "e2e_s_p99": "end-to-end p99 s",
        "max_wait_s": "max wait s",
        "output_tokens_per_s": "tokens/s",
        "preemptions": "preemptions",
        "recomputed_tokens": "recomputed tokens",
    }
    return str(
        table[[name for name in shown if name in table]].rename(columns=shown).to_string(float_format="{:.3g}".format)
    )
