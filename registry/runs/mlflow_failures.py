"""What MLflow, its database or its artifact store refuses, in one sentence for whoever gave the address or runs it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import mlflow
from alembic.util import CommandError
from mlflow.exceptions import MlflowException
from requests import RequestException
from sqlalchemy.exc import SQLAlchemyError

from registry.errors import UserError

FAILURES = (MlflowException, SQLAlchemyError, CommandError, RequestException, OSError, ModuleNotFoundError)
"""What a call of MLflow raises where the store is to blame: its own errors, and those of what is below it."""
MAX_LETTERS = 300
"""Of a library's own words."""


class MlflowFailure(UserError, RuntimeError):
    """MLflow does not do what was asked; one sentence with the reason and the next step."""


RIGHT_ADDRESS = (
    "set MLFLOW_TRACKING_URI to sqlite:///FILE, to a database such as postgresql://..., or to http://HOST:PORT"
)
LETTING_IN = (
    "give MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, of a user whom it knows"
)
PERMITTING = (
    "let its administrator give this user the permission EDIT on the experiment and on the registered model, or take a"
    " user who has it"
)

_AWAY = r"cannot be reached (\g<0>); start it, or set MLFLOW_TRACKING_URI to where it is."
_REFUSED = r"does not let this user in (\g<0>); see that user and password are right."
_NO_EXPERIMENT = (
    r"says: \1; name another by MLFLOW_EXPERIMENT_NAME, or bring it back with `mlflow experiments restore`."
)
_NO_RUN = r"says: \1; leave out MLFLOW_RUN_ID, or set it to a run that is there."
_KNOWN = {
    r"error code 401 |(?<!\d)401 Client Error": rf"does not let this user in (401); {LETTING_IN}.",
    r"endpoint (\S+) failed with error code 403 ": rf"does not permit this user to ask for \1 (403); {PERMITTING}.",
    r"(?<!\d)403 Client Error": rf"does not permit this user to do that (403); {PERMITTING}.",
    r'role "[^"]*" does not exist|password authentication failed|Access denied for user': _REFUSED,
    r"error code 40[045] |not in a valid JSON format": (
        "answers, but not as an MLflow server; see that host, port and path are right."
    ),
    r"(?:many|code) (5\d\d) ": r"fails (it answers \1); look at its log, then try again.",
    r"CERTIFICATE_VERIFY_FAILED|WRONG_VERSION_NUMBER|SSLError": (
        r"cannot be reached over https (\g<0>); see whether it speaks http, and else name its certificate by"
        " MLFLOW_TRACKING_SERVER_CERT_PATH."
    ),
    r"(?i)connection refused|no route to host|network is unreachable|name or service not known|failed to resolve|"
    r"temporary failure in name resolution|could not translate host name|timed? ?out|connection reset": _AWAY,
    r"(?i)connection aborted|connection to server|server closed the connection|can't connect|max retries": _AWAY,
    r"found version (\w+), but expected (\w+)": (
        r"has tables of another version of MLflow (\1, not \2); back the database up and run `mlflow db upgrade URI`,"
        " or install the newer MLflow that made it."
    ),
    r"Can't locate revision": "has tables of a newer MLflow than the one installed here; install that one.",
    r"database is locked": "is locked by another process; try again, or let all of them use one `mlflow server`.",
    r"not a database|malformed": "is a file, but no SQLite database; name another one.",
    r"unable to open database file|readonly database": (
        f"cannot be opened for writing by this user; {RIGHT_ADDRESS} that can be."
    ),
    r"unsupported URI|Could not parse|filesystem tracking backend|Invalid url|Can't load plugin": (
        f"is no address that MLflow can use; {RIGHT_ADDRESS}."
    ),
    r"(?si)^.*?((?=[^\s:])[^:\n]*experiment[^\n]*(?:exist|found|deleted|active)[^\n]*?)\.?(?:\n.*)?$": _NO_EXPERIMENT,
    r"(?si)^.*?((?=[^\s:])[^:\n]*run [^\n]*(?:exist|found|active)[^\n]*?)\.?(?:\n.*)?$": _NO_RUN,
}
"""What is found in the text of an error -> what it means, and the next step."""


@contextmanager
def told_in_one_sentence() -> Iterator[None]:
    """Let what MLflow refuses in this block end in one sentence.

    Raises:
        MlflowFailure: says what; the libraries' own error is its cause.
    """
    try:
        yield
    except FAILURES as error:
        raise MlflowFailure(sentence_of(error)) from error


def sentence_of(error: Exception) -> str:
    """What one of the `FAILURES` means to a user, with the next step."""
    if isinstance(error, ModuleNotFoundError):
        return f"this needs the Python package {error.name!r}, which is not installed here; install it."
    if isinstance(error, OSError) and error.filename is not None:
        return f"{str(error.filename)!r} cannot be used: {error.strerror}; see that this user may read and write it."
    for pattern, meaning in _KNOWN.items():
        if found := re.search(pattern, str(error)):
            return f"MLflow at {address()} {found.expand(meaning)}"
    return f"MLflow at {address()} refuses: {reason_of(error)}."


def reason_of(error: Exception) -> str:
    """The first line of a library's own words, without the full stop."""
    first = (str(error).strip() or type(error).__name__).partition("\n")[0]
    return first[:MAX_LETTERS].rstrip(". ")


def address() -> str:
    """Where MLflow is looked for: its tracking, and its registry where that is elsewhere."""
    return " with the registry at ".join(dict.fromkeys((mlflow.get_tracking_uri(), mlflow.get_registry_uri())))
