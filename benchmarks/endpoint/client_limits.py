"""What the client itself cannot do: connections that it may hold, and how late it sends."""

import resource

import numpy as np
import pandas as pd

from benchmarks.failures import ReplayError

OTHER_FILES = 100
"""Files that the process has open besides connections, at most."""
WORST_SHARE = "client_late_share"
"""Metric of a replay: see `worst_share`."""
LATE_MS, LATE_SHARE = 100, 0.1
"""A request is late if the client sent it so much later than planned, and by more than this share of its end-to-end
time: less is lost among what the server did."""


def allow_connections(num_requests: int) -> None:
    """Raise the process's own limit of open files so that every request can have a connection at the same time.

    Raises:
        ReplayError: the system does not allow so many.
    """
    needed = num_requests + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY not in (soft, hard) and needed > hard:
        raise ReplayError(
            f"the client must hold a connection a request, but may open {hard} files for {num_requests} requests;"
            " raise the limit (ulimit -Hn) or ask for fewer requests."
        )
    if soft != resource.RLIM_INFINITY and needed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def most_connections(answers: pd.DataFrame) -> int:
    """Most requests that one replay had open at the same time."""
    runs = answers.groupby(["policy", "repeat", answers.load.fillna(-1)])
    return max(_most_open(one.sent_s.to_numpy(), (one.sent_s + one.e2e_s).to_numpy()) for _, one in runs)


def _most_open(opened_s: np.ndarray, closed_s: np.ndarray) -> int:
    times_s = np.concatenate([opened_s, closed_s])
    steps = np.concatenate([np.ones(len(opened_s)), -np.ones(len(closed_s))])
    return int(np.cumsum(steps[np.lexsort((steps, times_s))]).max())


def worst_share(answers: pd.DataFrame) -> tuple[str, float]:
    """The policy at some load of which the client sent the greatest share late, and that share."""
    known = answers.assign(load=answers.load.fillna(-1), late=_is_late(answers))
    shares = known.groupby(["policy", "load"], sort=False).late.mean().reset_index()
    worst = int(shares.late.argmax())
    return str(shares.policy.iloc[worst]), float(shares.late.max())


def late(answers: pd.DataFrame, most_share: float) -> str | None:
    """Why the answers are not those to the traffic that was planned: of some policy at some load, too many were late.

    The times of a late request are right, since they count from when it was due; but what it met on the server was
    traffic that the client had thinned out (coordinated omission).
    """
    policy, share = worst_share(answers)
    if share <= most_share:
        return None
    most_s = answers.lag_s[answers.policy == policy].max()
    return (
        f"The client must send at most {most_share:.1%} of a policy's requests late (by more than {LATE_MS} ms and"
        f" {LATE_SHARE:.0%} of their end-to-end time), but it did {share:.1%} under {policy}, up to {most_s:.1f} s:"
        " these are not the arrivals that were planned. Ask for less load or fewer requests, give the client cores of"
        " its own, or allow more with late_share=SHARE."
    )


def _is_late(answers: pd.DataFrame) -> "pd.Series[bool]":
    return (1000 * answers.lag_s > LATE_MS) & (answers.lag_s > LATE_SHARE * answers.e2e_s)


def describe(answers: pd.DataFrame) -> str:
    """How late requests were sent (column `lag_s`) and over how many connections, in one sentence."""
    median_ms, p99_ms, most_ms = (1000 * answers.lag_s.quantile([0.5, 0.99, 1.0])).tolist()
    return (
        f"The client is one process without a limit on connections (at most {most_connections(answers):,} were open at"
        f" once); it sent requests later than planned by {median_ms:.0f} ms (median), {p99_ms:.0f} ms (p99),"
        f" {most_ms:.0f} ms at most ({_is_late(answers).mean():.1%} were late), and times count from when they were"
        " due, so that this is in them."
    )
