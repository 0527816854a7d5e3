"""How the engine's processes share the cores with the server that started them."""

import os

import psutil

from tests.servers import RunningServer


def assert_engine_stands_back(server: RunningServer) -> None:
    """All threads of the engine are nicer than the server; where the worker has one of two cores, all stay there."""
    api = psutil.Process(server.pid)
    processes = [one for one in api.children(recursive=True) if one.name().startswith("VLLM::")]
    assert len(processes) >= 2, f"the engine and its worker, but there are {processes}"
    threads = [thread.id for process in processes for thread in process.threads()]
    niceness = {os.getpriority(os.PRIO_PROCESS, thread) for thread in threads}
    assert niceness == {max(10, api.nice())}, niceness
    if len(ours := os.sched_getaffinity(api.pid)) == 2:  # vLLM gives its worker one of them
        places = {frozenset(os.sched_getaffinity(thread)) for thread in threads}
        assert len(places) == 1, places
        assert places < {frozenset({core}) for core in ours}, places
