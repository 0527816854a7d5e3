"""`mlflow server`, which can be stopped and started again at the same address with the same data."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from tenacity import retry, stop_after_delay, wait_fixed

from tests.servers import free_port


@dataclass
class MlflowServer:
    """Its data lie in the folder, unless options or environment say where else."""

    folder: Path
    options: Sequence[str] = ()
    """Of `mlflow server`; those of a database and artefacts in the folder unless given."""
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def start(self) -> None:
        plain = ["--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db", "--artifacts-destination", self.folder]
        command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *(self.options or plain)],
                env={**os.environ, **self.environment},
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
            )

    @retry(stop=stop_after_delay(120), wait=wait_fixed(0.5), reraise=True)
    def wait(self) -> None:
        httpx.get(f"{self.uri}/health", timeout=2).raise_for_status()

    def hang(self) -> None:
        """Take connections, and never answer."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Answer again."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, number)

    def stop(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None
