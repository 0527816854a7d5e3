"""A PostgreSQL server of one's own, on a socket in a folder of its own: no port, gone with the tests."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def postgres_url(password: str = "") -> Iterator[str]:
    """Start a server and yield its URL, without the password; skips the test where PostgreSQL is not installed."""
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # not pytest's: the server's user could not enter it
    user = _user()
    if user:
        shutil.chown(folder, user)
    data = folder / "data"
    made = [binaries / "initdb", "-D", data, "-U", "study", "--no-sync", *_asking_for(password, folder / "password")]
    subprocess.run(made, user=user, check=True, capture_output=True, cwd=folder)
    started = [binaries / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(started, user=user, stdout=log, stderr=log, cwd=folder)
    try:
        _wait_until_ready([binaries / "pg_isready", "-h", folder])
        yield f"postgresql+psycopg://study@/postgres?host={folder}"
    finally:
        server.send_signal(signal.SIGINT)  # the fast way: SIGTERM would wait for every client
        server.wait(timeout=60)
        shutil.rmtree(folder)


def _asking_for(password: str, file: Path) -> list[str]:
    if not password:
        return ["--auth=trust"]
    file.write_text(password)
    return ["--auth=scram-sha-256", f"--pwfile={file}"]


def _binaries() -> Path:
    on_path = shutil.which("initdb")
    found = [Path(on_path)] if on_path else sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed: no initdb on the PATH or in /usr/lib/postgresql")
    return found[-1].resolve().parent  # a link on the PATH stands there without its siblings


def _user() -> str | None:
    """PostgreSQL refuses to run as root."""
    return "nobody" if os.geteuid() == 0 else None


def _wait_until_ready(command: list[str | Path]) -> None:
    for _ in range(300):
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.1)
    raise AssertionError("PostgreSQL did not start within 30 s")
