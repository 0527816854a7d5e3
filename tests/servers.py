"""Start a server as its own process, wait until it is ready, and stop it; its log is shown when it fails."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

START_TIMEOUT_S = 300.0
PR_SET_PDEATHSIG = 1
"""Of Linux's prctl(2)."""
PROJECT = Path(__file__).parents[1]

VLLM_ARGS = "--dtype float32 --enforce-eager --max-model-len 4096"


@dataclass(frozen=True)
class RunningServer:
    """A server that answers at `url`."""

    url: str
    log: Path
    settings: Mapping[str, str]
    pid: int

    def client(self, **options: object) -> httpx.AsyncClient:
        """An HTTP client that is patient enough for a queue.

        It gives idle connections up well before plain vLLM closes them (5 s), and so never sends into a closing one.
        """
        limits = httpx.Limits(keepalive_expiry=1)
        defaults: dict[str, object] = {"base_url": self.url, "timeout": 300, "limits": limits}
        return httpx.AsyncClient(**defaults | options)  # type: ignore[arg-type]


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def server_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with only these `PARS_*` settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PARS_")}
    return {**inherited, "VLLM_CPU_KVCACHE_SPACE": "1", "PYTHONPATH": str(PROJECT), **settings}


@contextmanager
def running(
    command: Sequence[str], port: int, settings: Mapping[str, str], log: Path, folder: Path = PROJECT
) -> Iterator[RunningServer]:
    """Run a server until the block ends, in a folder; ready means that its application answers."""
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=folder,
            env=server_environment({**_folders(log), **settings}),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_stop_with_parent,  # nothing but one system call
        )
    try:
        _wait_until_ready(process, url, log)
        yield RunningServer(url, log, settings, process.pid)
    finally:
        _stop(process)


def _folders(log: Path) -> dict[str, str]:
    """Of a server's own: BentoML empties that of its metrics at every start, also under a server that still runs."""
    return {"PARS_CACHE": str(log.with_name("rankers")), "BENTOML_HOME": str(log.with_name("bentoml"))}


def _stop_with_parent() -> None:
    """The kernel shall send SIGTERM when the tests are killed; a server itself stops its engine."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline_s:
        if process.poll() is not None:
            raise RuntimeError(f"The server ended with exit code {process.returncode}. Its log:\n{log.read_text()}")
        try:
            if httpx.get(f"{url}/health", timeout=2).is_success:
                return
        except httpx.TransportError:  # BentoML binds the port early, and connections hang until the engine runs
            time.sleep(0.5)
    raise TimeoutError(f"The server was not ready after {START_TIMEOUT_S:g} s. Its log:\n{log.read_text()}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
    with suppress(ProcessLookupError):  # an engine that was left behind
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
