"""What MLflow refuses ends a command in one sentence, whatever it is, and soon."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import mlflow
import pytest
from mlflow.exceptions import MlflowException

from registry.runs.mlflow_failures import sentence_of
from tests.conftest import Command
from tests.postgres import postgres_url
from tests.servers import free_port


@contextmanager
def answering(status: int, body: str) -> Iterator[str]:
    """A server that answers everything in one way."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        do_POST = do_GET  # noqa: N815  # the base class's name

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://me:5ecret@127.0.0.1:{server.server_port}"
        server.shutdown()


def told(command: Command, capsys: pytest.CaptureFixture[str], uri: str) -> str:
    """The last line of a command that MLflow fails."""
    with pytest.MonkeyPatch.context() as patch:
        before = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri(uri)
        patch.setenv("MLFLOW_TRACKING_URI", uri)
        try:
            assert command("promote", "--target-llm", "demo-llm") == 1
        finally:
            mlflow.set_tracking_uri(before)
    said = capsys.readouterr()
    assert "5ecret" not in said.err + said.out
    line = said.err.splitlines()[-1]
    assert line.startswith("Error: ") and line.endswith(".")
    return line


HTML = "<html>\nhello 5</html>"
ANSWERS = [
    (401, HTML, r"does not let this user in \(401\); give MLFLOW_TRACKING_USERNAME"),
    (403, "Permission denied", r"does not permit this user to ask for \S+/search \(403\); let its administrator give"),
    (500, "boom", r"fails \(it answers 500\); look at its log"),
    (503, HTML, r"fails \(it answers 503\)"),
    (404, HTML, "not as an MLflow server"),
    (200, HTML, "not as an MLflow server"),
    (400, json.dumps({"error_code": "BAD_REQUEST", "message": "at http://me:5ecret@db/x\nno"}), "refuses: BAD_REQUEST"),
]


@pytest.mark.parametrize(("status", "body", "sentence"), ANSWERS)
def test_what_a_server_answers_is_one_sentence(
    command: Command, capsys: pytest.CaptureFixture[str], status: int, body: str, sentence: str
) -> None:
    with answering(status, body) as uri:
        assert re.search(sentence, told(command, capsys, uri))


ADDRESSES = [
    ("http://me:5ecret@127.0.0.1:{free}", "cannot be reached (Connection refused)"),
    ("postgresql+psycopg://me:5ecret@127.0.0.1:{free}/db", "cannot be reached (Connection refused)"),
    ("http://me:5ecret@no-such-host.invalid", "cannot be reached ("),
    ("https://me:5ecret@[bad", "has no address"),
    ("postgresql://me:5ec/ret@host:port/db", "has no address"),
    ("ftp://me:5ecret@host/x", "is no address that MLflow can use"),
    ("oracle://me:5ecret@host/x", "is no address that MLflow can use"),
    ("mysql+nothing://me:5ecret@host/x", "is no address that MLflow can use"),
    ("mysql://me:5ecret@host/x", "needs the Python package 'MySQLdb'"),
    ("nonsense", "is no address that MLflow can use"),
    ("file:///tmp", "is no address that MLflow can use"),
    ("sqlite:////proc/no/such/folder/mlflow.db", "'/proc/no' cannot be used: No such file or directory"),
]


@pytest.mark.parametrize(("uri", "sentence"), ADDRESSES)
def test_an_address_where_nobody_is_or_that_is_none_is_one_sentence(
    command: Command, capsys: pytest.CaptureFixture[str], uri: str, sentence: str
) -> None:
    assert sentence in told(command, capsys, uri.format(free=free_port()))


DATABASES = [
    ("not a database at all " * 100, None, "is a file, but no SQLite database"),
    (
        None,
        "update alembic_version set version_num = '451aebb31d03'",
        "tables of another version of MLflow (451aebb31d03",
    ),
    (None, "drop table model_versions", "refuses: "),
]


@pytest.mark.parametrize(("content", "change", "sentence"), DATABASES)
def test_a_database_that_is_not_this_mlflows_is_one_sentence(
    command: Command,
    capsys: pytest.CaptureFixture[str],
    empty_database: Path,
    tmp_path: Path,
    content: str | None,
    change: str | None,
    sentence: str,
) -> None:
    path = tmp_path / "mlflow.db"
    shutil.copy(empty_database, path)
    if content:
        path.write_text(content)
    if change:
        with closing(sqlite3.connect(path)) as database, database:
            database.execute(change)
    assert sentence in told(command, capsys, f"sqlite:///{path}")


def test_a_user_that_postgresql_refuses_is_one_sentence(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    with postgres_url() as url:
        assert 'does not let this user in (role "nobody"' in told(
            command, capsys, url.replace("study@", "nobody:5ecret@")
        )


def test_a_database_that_another_process_has_locked_is_one_sentence(
    command: Command, capsys: pytest.CaptureFixture[str], empty_database: Path, tmp_path: Path
) -> None:
    path = tmp_path / "mlflow.db"
    shutil.copy(empty_database, path)
    with closing(sqlite3.connect(path)) as database:
        database.execute("begin exclusive")
        assert "is locked by another process" in told(command, capsys, f"sqlite:///{path}")


WORDS = [
    ("No Experiment with id=7 exists", "says: No Experiment with id=7 exists; name another by MLFLOW_EXPERIMENT_NAME"),
    (
        "The experiment 7 must be in the 'active' state. Current state is deleted.",
        "says: The experiment 7 must be in the 'active' state",
    ),
    ("RESOURCE_DOES_NOT_EXIST: Run with id=abc not found", "says: Run with id=abc not found; leave out MLFLOW_RUN_ID"),
]


@pytest.mark.parametrize(("words", "sentence"), WORDS)
def test_what_is_not_there_is_told_with_the_next_step(words: str, sentence: str) -> None:
    assert sentence in sentence_of(MlflowException(words))


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("MLFLOW_EXPERIMENT_ID", "7", "name another by MLFLOW_EXPERIMENT_NAME"),
        ("MLFLOW_RUN_ID", "0" * 32, "leave out MLFLOW_RUN_ID"),
    ],
)
def test_an_experiment_or_run_that_is_not_there_ends_a_training_in_one_sentence(
    registry: str, tmp_path: Path, name: str, value: str, sentence: str
) -> None:
    environment = {one: it for one, it in os.environ.items() if not one.startswith("MLFLOW_")}
    environment |= {"MLFLOW_TRACKING_URI": registry, name: value}
    words = ["simulate", "--lengths", str(tmp_path / "no.jsonl")]
    command = [sys.executable, "-m", "benchmarks", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert sentence in done.stderr.splitlines()[-1]
