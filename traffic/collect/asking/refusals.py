"""What an endpoint says when it does not answer: whether it is tried again, when, and why not. No prompt is in it."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

TRIED_AGAIN = frozenset({408, 409, 425, 429})
ABOUT_THE_REQUEST = frozenset({400, 413, 414, 415, 422, 431, 451})
"""The same request would be refused again tomorrow. The others of 4xx are about keys, money and routes."""
WORDS_CHARACTERS = 300


class NotAnswered(Exception):
    """A request that brought no answer."""

    def __init__(self, reason: str, words: str = "", *, is_final: bool = False) -> None:
        """`reason` goes into logs, the server's `words`, which may repeat a prompt, into the folder alone."""
        super().__init__(reason)
        self.reason = reason
        self.words = words
        self.is_final = is_final


class Passing(NotAnswered):
    """One that may be answered in a moment."""

    def __init__(self, reason: str, words: str = "", *, retry_after_s: float = 0.0) -> None:
        super().__init__(reason, words)
        self.retry_after_s = retry_after_s


def check(response: httpx.Response) -> None:
    """Let an answer through.

    Raises:
        Passing: it is none, but may be in a moment.
        NotAnswered: it is none.
    """
    if response.is_success:
        return
    status, words = response.status_code, response.text[:WORDS_CHARACTERS]
    reason = f"status {status}"
    if status in TRIED_AGAIN or status >= 500:
        raise Passing(reason, words, retry_after_s=_retry_after_s(response))
    raise NotAnswered(reason, words, is_final=status in ABOUT_THE_REQUEST)


def _retry_after_s(response: httpx.Response) -> float:
    """What the server asks to be waited, as a number of seconds or as a date; 0 where it says nothing."""
    text = response.headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
