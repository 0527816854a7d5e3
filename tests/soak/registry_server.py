"""A real MLflow server that can hang and come back."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.servers import free_port

START_TIMEOUT_S = 180.0


class RegistryServer:
    """`mlflow server` in a session of its own."""

    def __init__(self, store_uri: str, log: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = ["mlflow", "server", "--backend-store-uri", store_uri, "--port", str(port), "--workers", "1"]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *command], stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )

    def hang(self) -> None:
        """Take connections, and never answer."""
        os.killpg(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Answer again."""
        os.killpg(self._process.pid, signal.SIGCONT)

    def wait_until_ready(self) -> None:
        """Wait until it answers."""
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline_s:
            try:
                if httpx.get(f"{self.url}/health", timeout=2).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.5)
        raise TimeoutError(f"MLflow's server did not answer within {START_TIMEOUT_S:g} s")

    def stop(self) -> None:
        """End it, whatever its state."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@contextmanager
def registry_server(store_uri: str, log: Path) -> Iterator[RegistryServer]:
    """A server on an existing store, until the block ends."""
    server = RegistryServer(store_uri, log)
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()
