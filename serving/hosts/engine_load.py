"""The load of a running engine, by what its configuration allows and what it says of itself. Imports nothing of vLLM.

vLLM's client hands the statistics of each step to its stat loggers; one more of these listens. So nothing is asked of
the engine, and both hosts listen in the same way.
"""

import asyncio
import logging
from typing import Any

from serving.ranking.load import EngineLoad
from serving.ranking.reports import EngineReports, Report

logger = logging.getLogger(__name__)


def start_load(client: Any) -> EngineLoad:
    """The load of the engines of vLLM's client, which it follows from now on."""
    config = client.vllm_config
    num_servers = num_api_servers(config)
    if num_servers > 1:
        logger.info(
            "%d API servers share the engine: this one counts its own sequences, up to its share of --max-num-seqs,"
            " and holds requests while a report that reaches it says that some wait.",
            num_servers,
        )
    if client.logger_manager is None:
        logger.warning(
            "vLLM does not say how many requests wait in it (--disable-log-stats), so it counts as full when it has"
            " --max-num-seqs sequences; its KV cache may be full before."
        )
        return EngineLoad(max_num_seqs(config))
    load = EngineLoad(max_num_seqs(config), EngineReports(num_engines(config), is_shared=num_servers > 1))
    client.logger_manager.stat_loggers.append(LoadListener(load))
    return load


def num_api_servers(vllm_config: Any) -> int:
    """How many API servers ask the same engines."""
    return int(vllm_config.parallel_config._api_process_count)


def num_engines(vllm_config: Any) -> int:
    """How many data-parallel engines this API server asks."""
    parallel = vllm_config.parallel_config
    return int(parallel.data_parallel_size_local if parallel.local_engines_only else parallel.data_parallel_size)


def max_num_seqs(vllm_config: Any) -> int:
    """How many sequences the engines run at once; where several API servers share them, this one's share."""
    all_of_them = vllm_config.scheduler_config.max_num_seqs * num_engines(vllm_config)
    return max(int(all_of_them) // num_api_servers(vllm_config), 1)


class LoadListener:
    """One of vLLM's stat loggers, by its methods (`vllm.v1.metrics.loggers.AggregateStatLoggerBase`)."""

    def __init__(self, load: EngineLoad) -> None:
        self._load = load

    def record(self, scheduler_stats: Any, *_: Any, engine_idx: int = 0, **__: Any) -> None:
        """Hear of a step; there are no statistics where another API server got them.

        Not at once: what fails here would end the task that brings all answers.
        """
        if scheduler_stats is not None:
            asyncio.get_running_loop().call_soon(self._report, engine_idx, scheduler_stats)

    def _report(self, engine: int, stats: Any) -> None:
        report = Report(stats.num_running_reqs, stats.num_waiting_reqs, stats.num_skipped_waiting_reqs)
        self._load.report(engine, report)

    def log(self) -> None:
        """Nothing is logged."""

    def log_engine_initialized(self) -> None:
        """Nothing is logged."""

    def record_sleep_state(self, *_: Any, **__: Any) -> None:
        """A sleeping engine takes nothing, and says so by what waits."""

    def record_admission_rejection(self, reason: str) -> None:
        """What vLLM refuses leaves at once."""
