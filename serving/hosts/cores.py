"""On the CPU: how the engine's processes share the cores with the one that takes requests in and ranks them."""

import os
from collections.abc import MutableMapping, Sequence
from contextlib import suppress

import psutil

ENGINE_NICENESS = 10
"""How far the engine's processes stand back (`nice`): they fill their cores, and spin while they wait."""


def stay_within_quota(environment: MutableMapping[str, str], num_processors: int) -> None:
    """Let vLLM start as many threads as a container's limit leaves it; one processor is left to the server.

    vLLM binds a thread to each processor that the affinity names, which a limit of time (cgroup) does not change: many
    threads that spin use it up at once, and all stand still for the rest of each period.
    """
    if num_processors < len(os.sched_getaffinity(0)):
        environment.setdefault("VLLM_CPU_OMP_THREADS_BIND", "nobind")
        environment.setdefault("OMP_NUM_THREADS", str(max(num_processors - 1, 1)))


def give_way() -> None:
    """Make this process's children, which are the engine's, stand back from it."""
    threads = [thread.id for process in psutil.Process().children(recursive=True) for thread in process.threads()]
    core = _core_of_the_worker(threads)
    for thread in threads:  # niceness and cores belong to a thread
        with suppress(ProcessLookupError):  # it has ended meanwhile
            os.setpriority(os.PRIO_PROCESS, thread, max(ENGINE_NICENESS, os.getpriority(os.PRIO_PROCESS, thread)))
            if core is not None:
                os.sched_setaffinity(thread, {core})


def _core_of_the_worker(threads: Sequence[int]) -> int | None:
    """The core that the whole engine shall stay on: the one that vLLM has bound its worker to; None if it has more.

    The engine's loop spins while its worker computes, and so takes another core from everything else: on two cores with
    Linux 6.18 all other processes stood still for seconds at times (docs/results/ranking-cost.md, "What ranking
    costs beside the engine"). A worker on several cores is left as it is; that was not measured.
    """
    ours = os.sched_getaffinity(0)
    bound: set[int] = set()
    for thread in threads:
        with suppress(ProcessLookupError):
            cores = os.sched_getaffinity(thread)
            bound |= cores if cores < ours else set()
    return bound.pop() if len(bound) == 1 else None
