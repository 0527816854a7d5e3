"""MLflow as teams run it: `mlflow server` on a PostgreSQL, artefacts handed on to an S3 store, users with passwords.

The passwords go by the environment alone, as a user is told to do it: none stands on a command line.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
from tenacity import retry, stop_after_delay, wait_fixed

from tests.mlflow_server import MlflowServer
from tests.postgres import postgres_url
from tests.servers import free_port

ADMIN, ADMIN_PASSWORD = "admin", "tracking-admin-pw"
DATABASE_PASSWORD = "tracking-database-pw"
S3_SECRET = "tracking-s3-secret"
SECRETS = (ADMIN_PASSWORD, DATABASE_PASSWORD, S3_SECRET)
BUCKET = "mlflow"
USERS = "users"
"""The database of basic auth's users, beside that of the runs."""
USERS_INI = """\
[mlflow]
default_permission = READ
database_uri = {}
auth_cache_ttl_seconds = 60
"""
"""Each request brings a password, whose hash takes MLflow a good part of a second: known ones are remembered."""


@contextmanager
def team_mlflow(folder: Path) -> Iterator[MlflowServer]:
    """Start all three and yield the MLflow server, which is ready; skips the test where PostgreSQL is missing."""
    with postgres_url(DATABASE_PASSWORD) as database, s3_store(folder / "s3-log") as s3:
        _make_database(database, USERS)
        users = folder / "users.ini"
        users.write_text(USERS_INI.format(_named(database, USERS)))
        environment = {
            "MLFLOW_BACKEND_STORE_URI": database,
            "PGPASSWORD": DATABASE_PASSWORD,
            "MLFLOW_S3_ENDPOINT_URL": s3,
            "AWS_ACCESS_KEY_ID": "mlflow",
            "AWS_SECRET_ACCESS_KEY": S3_SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "MLFLOW_AUTH_CONFIG_PATH": str(users),
            "MLFLOW_AUTH_ADMIN_USERNAME": ADMIN,
            "MLFLOW_AUTH_ADMIN_PASSWORD": ADMIN_PASSWORD,
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "signs the forms of the pages",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        }
        options = ["--app-name", "basic-auth", "--artifacts-destination", f"s3://{BUCKET}/artefacts"]
        server = MlflowServer(folder, options, environment)
        server.start()
        try:
            server.wait()
            yield server
        finally:
            server.stop()


@contextmanager
def s3_store(log_file: Path) -> Iterator[str]:
    """Start moto's server with an empty bucket and yield its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with log_file.open("wb") as log:
        store = subprocess.Popen([sys.executable, "-m", "moto.server", "-p", str(port)], stdout=log, stderr=log)
    try:
        _make_bucket(address)
        yield address
    finally:
        store.terminate()
        store.wait(timeout=30)


@retry(stop=stop_after_delay(60), wait=wait_fixed(0.2), reraise=True)
def _make_bucket(address: str) -> None:
    httpx.put(f"{address}/{BUCKET}", timeout=5).raise_for_status()


def add_user(server: MlflowServer, name: str, password: str) -> None:
    """A user who may look at everything and change what is their own."""
    made = {"username": name, "password": password}
    url = f"{server.uri}/api/2.0/mlflow/users/create"
    answer = httpx.post(url, json=made, auth=(ADMIN, ADMIN_PASSWORD), timeout=60)  # the first one opens databases
    answer.raise_for_status()


def _make_database(url: str, name: str) -> None:
    with psycopg.connect(url.replace("+psycopg", ""), password=DATABASE_PASSWORD, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]  # a constant


def _named(url: str, name: str) -> str:
    return url.replace("/postgres?", f"/{name}?")
