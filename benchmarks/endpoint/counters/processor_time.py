"""The processor time that a server which this process has started has used, without its engine."""

from contextlib import suppress

import psutil

ENGINE_TITLE = "VLLM::"
"""How vLLM calls the processes of its engine."""


def api_processor_s() -> float:
    """Seconds of all processes below this one, but the engine's: taking requests in, ranking them, and answering."""
    return sum(_processor_s(process) for process in psutil.Process().children(recursive=True))


def _processor_s(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        if not " ".join(process.cmdline()).startswith(ENGINE_TITLE):
            used = process.cpu_times()
            return float(used.user + used.system)
    return 0.0
