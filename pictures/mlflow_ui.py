"""MLflow's own server over a store, for as long as its pages are photographed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from benchmarks.endpoint.live_server import free_port

START_LIMIT_S = 300
STOP_LIMIT_S = 30
REMEMBERED = {
    "mlflow.workflowType_v1": '"machine_learning"',
    "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true",
    "mlflow.assistant.panelOpen_v1": "false",
}
"""What a browser remembers of somebody who has chosen *Model training* and closed the assistant."""


@contextmanager
def mlflow_ui(store: str) -> Iterator[str]:
    """Serve a store and yield its address."""
    with TemporaryDirectory() as folder, (Path(folder) / "log").open("wb") as log:
        port = free_port()
        command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--host", "127.0.0.1"]
        command += ["--port", str(port), "--backend-store-uri", store, "--default-artifact-root", folder]
        no_jobs = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # its workers only take time here
        with subprocess.Popen(command, stdout=log, stderr=log, env=no_jobs) as process:
            try:
                url = f"http://127.0.0.1:{port}"
                _wait_until_ready(url)
                yield url
            finally:
                _stop(process)


@retry(retry=retry_if_exception_type(httpx.HTTPError), stop=stop_after_delay(START_LIMIT_S), wait=wait_fixed(0.5))
def _wait_until_ready(url: str) -> None:
    httpx.get(f"{url}/health", timeout=2).raise_for_status()


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
