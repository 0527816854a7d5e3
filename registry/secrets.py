"""Passwords in addresses never reach a log, an error or the screen: ours, or what a library says.

An address may hold a user, a password or a token (`postgresql://user:secret@host/db`), and the libraries that are
given one repeat it: in exceptions, in the line that says where to look at a run, in tracebacks.
"""

import logging
import re
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any

HIDDEN = "***"

_USER_INFO = re.compile(
    r"(?<=://)(?:"
    # A password that nobody has escaped may hold / ? # and @; a colon before digits alone is that of a port.
    r"""[^\s/?#:@]*:(?!\d+(?![^\s/?#'",;)>\]}\\]))(?:(?!://)\S)*@"""
    r"|[^\s/?#]*@)"
)
_PARAMETER = re.compile(
    r"(?i)(?<=[?&;])((?:[\w.-]{0,40}(?:passw|pwd|secret|token|signature|credential|api[_-]?key|access[_-]?key)[\w.-]{0,40}"
    r"""|sig)=)[^\s&;#'"]+"""
)


def without_passwords(text: object) -> str:
    """The text with the user and password of every address in it hidden, and parameters that are named like secrets.

    Where an address is not well-formed too much may be hidden, never too little.
    """
    return _PARAMETER.sub(rf"\1{HIDDEN}", _USER_INFO.sub(f"{HIDDEN}@", str(text)))


def guard_output() -> None:
    """Hide passwords in whatever this process logs, by any logger and handler, and in tracebacks that end it."""
    make = logging.getLogRecordFactory()
    if not isinstance(make, _GuardedRecords):
        logging.setLogRecordFactory(_GuardedRecords(make))
    sys.excepthook = _tell
    threading.excepthook = lambda args: _tell(args.exc_type, args.exc_value, args.exc_traceback)


class _GuardedRecords:
    """Makes log records, as the factory before it did, with nothing in them to hide."""

    def __init__(self, make: Callable[..., logging.LogRecord]) -> None:
        self._make = make

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = self._make(*args, **kwargs)
        with suppress(Exception):  # a malformed call is reported by logging itself, where the record is written
            _hide(record)
        return record


def _hide(record: logging.LogRecord) -> None:
    if isinstance(record.args, tuple):  # one by one, since uvicorn's formatter looks at them
        record.args = tuple(without_passwords(one) if isinstance(one, str) else one for one in record.args)
    text = record.getMessage()
    if (hidden := without_passwords(text)) != text:
        record.msg, record.args = hidden, ()
    if record.exc_info and not record.exc_text:
        record.exc_text = without_passwords("".join(traceback.format_exception(*record.exc_info)).rstrip())


def _tell(kind: type[BaseException], error: BaseException | None, where: TracebackType | None) -> None:
    sys.stderr.write(without_passwords("".join(traceback.format_exception(kind, error, where))))
