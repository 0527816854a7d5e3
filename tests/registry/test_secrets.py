"""`registry/secrets.py`: no password in what is said, by us or by a library."""

import logging
import subprocess
import sys

import pytest

from registry.errors import InvalidInput
from registry.secrets import guard_output, without_passwords

SECRET = "5ecret"
HIDING = [
    ("http://user:5ecret@host:5000/x", "http://***@host:5000/x"),
    ("postgresql+psycopg://user:5ecret@host/db?sslmode=require", "postgresql+psycopg://***@host/db?sslmode=require"),
    ("https://5ecret@host/x", "https://***@host/x"),
    ("http://user:p@5ecret@host/x", "http://***@host/x"),
    ("http://user:5ecret/5ecret@host/x", "http://***@host/x"),
    ("http://user:5ecret?#5ecret@host/x", "http://***@host/x"),
    ("http://:5ecret@host", "http://***@host"),
    ("http://user:123@host", "http://***@host"),
    ("mysql://host/db?user=me&password=5ecret&charset=utf8", "mysql://host/db?user=me&password=***&charset=utf8"),
    ("https://blob.net/c?sv=1&sig=5ecret", "https://blob.net/c?sv=1&sig=***"),
    ("s3://b/k?X-Amz-Signature=5ecret", "s3://b/k?X-Amz-Signature=***"),
    ("see 'http://a:5ecret@x', \"http://b:5ecret@y/z\".", "see 'http://***@x', \"http://***@y/z\"."),
]
AS_THEY_ARE = [
    "http://host:5000/path",
    "http://host:5000, then mail me@host",
    'at "http://host:5000": me@host',
    "http://host:5000/runs/@me",
    "models:/pars-llm@champion",
    "sqlite:////tmp/a:b@c/mlflow.db",
    "s3://bucket/a@b",
    "a sentence: with a colon, an @ and // two slashes",
]


@pytest.mark.parametrize(("text", "shown"), HIDING)
def test_user_and_password_of_an_address_are_hidden(text: str, shown: str) -> None:
    assert without_passwords(f"cannot reach {text}") == f"cannot reach {shown}"
    assert SECRET not in shown


@pytest.mark.parametrize("text", AS_THEY_ARE)
def test_what_is_no_password_stays(text: str) -> None:
    assert without_passwords(text) == text


def test_a_long_text_takes_no_longer_than_its_length() -> None:
    text = "a" * 500_000 + "://" * 100_000 + "?" * 500_000 + "token" * 100_000
    assert without_passwords(text) == text  # one that is quadratic would not end


def test_an_error_that_a_user_sees_hides_it() -> None:
    assert str(InvalidInput("no http://me:5ecret@host")) == "no http://***@host"


LOGGED = {
    "in the message": "log.warning('at http://me:5ecret@host')",
    "in an argument": "log.warning('at %s, %d times', 'http://me:5ecret@host', 3)",
    "in an exception as argument": "log.warning('failed: %s', ValueError('http://me:5ecret@host'))",
    "in parts": "log.warning('http://%s:%s@%s', 'me', '5ecret', 'host')",
    "in a traceback": "try: raise ValueError('http://me:5ecret@host')\nexcept ValueError: log.exception('failed')",
    "in the end": "raise ValueError('http://me:5ecret@host')",
    "in the cause of the end": "try: raise ValueError('http://me:5ecret@host')\n"
    "except ValueError as error: raise RuntimeError('failed') from error",
    "in the end of a thread": "def fail(): raise ValueError('http://me:5ecret@host')\n"
    "one = threading.Thread(target=fail); one.start(); one.join()",
}


@pytest.mark.parametrize("line", LOGGED.values(), ids=LOGGED)
def test_whatever_a_process_logs_or_ends_with_hides_it(line: str) -> None:
    program = "import logging, threading\nfrom registry.secrets import guard_output\nguard_output()\n"
    program += f"logging.basicConfig(level='INFO')\nlog = logging.getLogger('any.library')\n{line}\n"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False).stderr
    assert "http://***@host" in said
    assert SECRET not in said


def test_a_formatter_that_looks_at_the_arguments_still_finds_them(monkeypatch: pytest.MonkeyPatch) -> None:
    before = logging.getLogRecordFactory()
    monkeypatch.setattr("sys.excepthook", sys.excepthook)
    monkeypatch.setattr("threading.excepthook", None)
    try:
        guard_output()
        record = logging.getLogger("a").makeRecord("a", 20, "", 0, "%s %d", ("/x?token=5ecret", 200), None)
    finally:
        logging.setLogRecordFactory(before)
    assert record.args == ("/x?token=***", 200)
