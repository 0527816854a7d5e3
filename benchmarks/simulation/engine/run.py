"""One simulated run: traffic, an order of the queue, an engine; and many of them on all cores."""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import forkserver
from multiprocessing.context import BaseContext

import numpy as np
import pandas as pd
from joblib import cpu_count

from benchmarks.server_defaults import RANKING_BACKLOG_MS
from benchmarks.simulation.engine.engine_settings import EngineSettings, Served
from benchmarks.simulation.engine.order import Order, sent_requests
from serving.work.step_cost import StepCost
from terminal.progress import track
from traffic.batch import Traffic

WORTH_A_PROCESS = 2_000_000
"""Output tokens that take longer to simulate than a process takes to start."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What is simulated."""

    traffic: Traffic
    order: Order
    engine: EngineSettings
    cost: StepCost
    backlog_s: float = RANKING_BACKLOG_MS / 1000
    """How long a request may be held for the encoder."""
    policy: str = "fcfs"
    repeat: int = 0
    load: float = np.nan
    """Arrival rate as a multiple of capacity."""


def simulate_run(run: Run) -> pd.DataFrame:
    """One row an answer (`benchmarks/answers.py`; `placed_by`, `preemptions`, `recomputed_tokens`), as sent."""
    return answers(run.traffic, serve(run)).assign(policy=run.policy, repeat=run.repeat, load=run.load)


def serve(run: Run) -> list[Served]:
    """What became of each request, as they end."""
    from benchmarks.simulation.engine.virtual_server import (
        VirtualServer,  # vLLM takes seconds to import: not where nothing is simulated
    )

    longest = int((run.traffic.prompt_tokens + run.traffic.output_tokens).max())
    server = VirtualServer(run.engine, run.cost, run.backlog_s, longest)
    server.send(sent_requests(run.traffic, run.order))
    return server.run()


def simulate_all(runs: Sequence[Run], processes: int | None = None) -> list[pd.DataFrame]:
    """The answers of each run, in the order of the runs; on all cores where that is worth their start."""
    processes = min(processes or cpu_count(), len(runs))
    if processes == 1 or sum(int(run.traffic.output_tokens.sum()) for run in runs) < WORTH_A_PROCESS:
        return [simulate_run(run) for run in runs]
    with on_all_cores(processes) as simulate:
        return simulate(runs)


@contextmanager
def on_all_cores(processes: int | None = None) -> Iterator[Callable[[Sequence[Run]], list[pd.DataFrame]]]:
    """What answers runs, in their order, in processes that start once: this one never loads vLLM."""
    with ProcessPoolExecutor(processes or cpu_count(), _loaded_once()) as pool:
        yield lambda runs: _simulated_by(pool, runs)


def _simulated_by(pool: Executor, runs: Sequence[Run]) -> list[pd.DataFrame]:
    """The longest first: a long one that begins last would leave all other cores idle."""
    longest_first = np.argsort([-run.traffic.output_tokens.sum() for run in runs])
    tables = {place: pool.submit(simulate_run, _without_texts(runs[place])) for place in longest_first.tolist()}
    for _ in track(as_completed(tables.values()), "simulate", "runs", total=len(runs)):
        pass
    return [tables[place].result() for place in range(len(runs))]


def _loaded_once() -> BaseContext:
    """Processes that share one copy of vLLM, forked off one that has loaded it and started no thread.

    A fork of this one would inherit the threads' locks of the libraries that are loaded by now.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.simulation.engine.scheduler"])
    forkserver.ensure_running()  # it loads while whoever asked for it reads a log
    return context


def _without_texts(run: Run) -> Run:
    """The same run: no engine reads the prompts, and another process need not be sent them."""
    return replace(run, traffic=replace(run.traffic, prompts=None))


def answers(traffic: Traffic, served: Iterable[Served]) -> pd.DataFrame:
    """What the client saw of each request, all of which were served, what placed it, and what a full KV cache did."""
    rows = pd.DataFrame(sorted(served), columns=Served._fields)
    clusters = {} if traffic.clusters is None else {"cluster": traffic.clusters}
    return pd.DataFrame(
        {
            "request": traffic.request_numbers,
            **clusters,
            "sent_s": traffic.arrival_s,
            "prompt_tokens": traffic.prompt_tokens,
            "output_tokens": traffic.output_tokens,
            "ttft_s": rows.first_token_s - traffic.arrival_s,
            "e2e_s": rows.last_token_s - traffic.arrival_s,
            "placed_by": rows.placed_by,
            "preemptions": rows.preemptions,
            "recomputed_tokens": rows.recomputed_tokens,
        }
    )
