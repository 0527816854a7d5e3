"""The server under replay: one `bentoml serve` that ranks what comes without a priority and trusts one that is sent."""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from benchmarks.failures import ReplayError

logger = logging.getLogger(__name__)

START_LIMIT_S = 600
STOP_LIMIT_S = 60
NOT_INHERITED = ("PARS_", "TTY_COMPATIBLE")
"""What tells another server of ours, and that there is a screen: this one writes to a file."""


@contextmanager
def serve(settings: Mapping[str, str], log_path: Path) -> Iterator[str]:
    """Start the service in the working folder, wait until it answers, yield its address, and stop it.

    It starts with nothing that another one has left: its caches and its switch lie in a folder of its own.
    `settings` are all the `PARS_*` variables that it gets besides. The server's output goes to `log_path`.

    Raises:
        ReplayError: it stopped, or did not answer in time; the message names the log.
    """
    logger.info("The server starts, which takes a minute or so; its log is %s.", log_path)
    port = free_port()
    command = [sys.executable, "-m", "bentoml", "serve", "--host", "127.0.0.1", "--port", str(port)]
    with log_path.open("wb") as log, TemporaryDirectory() as home:
        environment = environment_of(settings, Path(home))
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(url, process, log_path)
            yield url
        finally:
            _stop(process)


def environment_of(settings: Mapping[str, str], home: Path) -> dict[str, str]:
    """This process's variables, without those that are meant for it alone, and with these settings.

    In the home are all files that a server reads again: the last ranker that it has served, the file that switches
    ordering off, and BentoML's folder of metrics, which is emptied at every start, also under a server that runs.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
    files = {"BENTOML_HOME": home, "PARS_CACHE": home / "rankers", "PARS_ORDERING_FILE": home / "ordering"}
    return {**inherited, **{name: str(path) for name, path in files.items()}, **settings}


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]", log_path: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ReplayError(
                f"the server must start, but stopped with exit code {process.returncode}; see {log_path}."
            )
        try:
            # While the engine starts, the port is bound and connections hang.
            if httpx.get(f"{url}/v1/models", timeout=2).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(1)
    raise ReplayError(f"the server must answer within {START_LIMIT_S} s, but did not; see {log_path}.")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Ask the whole process group to end, and end what did not."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
            process.wait(STOP_LIMIT_S)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
