"""Answers of a made-up queue, in the schema that replays and simulations write."""

import heapq

import numpy as np
import pandas as pd

SERVERS = 8
S_PER_TOKEN = 0.02


def queued(
    loads: tuple[float, ...] = (np.nan,),
    requests: int = 300,
    repeats: int = 2,
    policies: tuple[str, ...] = ("fcfs", "control", "pars", "oracle"),
) -> pd.DataFrame:
    """One row an answer of a queue before a few servers, for every policy, load and repeat.

    Every repeat sends the same requests: a pair of repeats in one order and its reverse, the next pair in another.
    """
    rng = np.random.default_rng(0)
    lengths = np.maximum(1, rng.lognormal(4, 1, requests)).astype(int)
    frames = []
    for load in loads:
        for repeat in range(repeats):
            sent = np.random.default_rng([1, repeat // 2]).permutation(requests)[:: -1 if repeat % 2 else 1]
            tokens = lengths[sent]
            capacity_per_s = SERVERS / (tokens.mean() * S_PER_TOKEN)
            gaps_s = rng.exponential(1 / (capacity_per_s * load), requests) if load == load else np.zeros(requests)
            sent_s = np.cumsum(gaps_s)
            keys = {
                "fcfs": np.arange(requests),
                "control": rng.permutation(requests),
                "pars": np.log(tokens) + rng.normal(0, 0.3, requests),
                "oracle": tokens,
            }
            for policy in policies:
                wait_s = waits_s(sent_s, tokens, keys.get(policy, keys["fcfs"]))
                rows = {
                    "request": sent,
                    "sent_s": sent_s,
                    "prompt_tokens": 9,
                    "output_tokens": tokens,
                    "ttft_s": wait_s,
                }
                rows["e2e_s"] = wait_s + tokens * S_PER_TOKEN
                frames.append(pd.DataFrame(rows).assign(policy=policy, repeat=repeat, load=load))
    return pd.concat(frames, ignore_index=True)


def waits_s(sent_s: np.ndarray, tokens: np.ndarray, key: np.ndarray, servers: int = SERVERS) -> np.ndarray:
    """Seconds to the first token of each request, the lowest key first."""
    free_s, waiting, arrived = [0.0] * servers, [], 0
    wait_s = np.zeros(len(tokens))
    for _ in tokens:
        now_s = heapq.heappop(free_s)
        if not waiting:
            now_s = max(now_s, sent_s[arrived])
        while arrived < len(tokens) and sent_s[arrived] <= now_s:
            heapq.heappush(waiting, (key[arrived], arrived))
            arrived += 1
        _, one = heapq.heappop(waiting)
        wait_s[one] = now_s - sent_s[one] + S_PER_TOKEN
        heapq.heappush(free_s, now_s + tokens[one] * S_PER_TOKEN)
    return wait_s
