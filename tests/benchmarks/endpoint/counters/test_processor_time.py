"""What a server uses is that of its processes below this one, but for its engine's."""

import subprocess
import sys
import time

from benchmarks.endpoint.counters.processor_time import ENGINE_TITLE, api_processor_s

BUSY = "print('begun', flush=True)\nwhile True: pass"


def used_by(title: str) -> float:
    """Seconds that are counted while a process of this title is busy for some time."""
    with subprocess.Popen([title, "-c", BUSY], executable=sys.executable, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        before_s, until_s = api_processor_s(), time.monotonic() + 0.5
        while time.monotonic() < until_s:
            time.sleep(0.05)
        used_s = api_processor_s() - before_s
        process.kill()
    return used_s


def test_engine_is_left_out() -> None:
    server_s, engine_s = used_by("server"), used_by(f"{ENGINE_TITLE}EngineCore")
    assert engine_s < server_s / 3, "servers of other tests are below this process too, idle but not still"
