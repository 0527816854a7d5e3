"""What an encoder has said of texts that come again: kept by a keyed digest, so that no text is."""

from collections import OrderedDict
from hashlib import blake2b
from secrets import token_bytes
from threading import Lock

from registry.ranker import Prediction

MOST_CHARACTERS = 65_536
"""A longer text is not kept: its digest would take the event loop longer than a place is worth."""
DIGEST_BYTES = 16


class ScoreCache:
    """The latest predictions of one ranker, the least recently used forgotten first. Safe from any thread."""

    def __init__(self, size: int = 0) -> None:
        """`size` is the number of texts; 0 keeps none."""
        self._size = size
        self._key = token_bytes(DIGEST_BYTES)
        self._prediction_of: OrderedDict[bytes, Prediction] = OrderedDict()
        self._lock = Lock()

    def get(self, text: str) -> Prediction | None:
        """What was said of a text; None if that is not known."""
        if not self._keeps(text):
            return None
        digest = self._digest(text)
        with self._lock:
            prediction = self._prediction_of.get(digest)
            if prediction is not None:
                self._prediction_of.move_to_end(digest)
        return prediction

    def put(self, text: str, prediction: Prediction) -> None:
        """Keep what was said of a text."""
        if not self._keeps(text):
            return
        digest = self._digest(text)
        with self._lock:
            self._prediction_of[digest] = prediction
            self._prediction_of.move_to_end(digest)
            if len(self._prediction_of) > self._size:
                self._prediction_of.popitem(last=False)

    def _keeps(self, text: str) -> bool:
        return self._size > 0 and len(text) <= MOST_CHARACTERS

    def _digest(self, text: str) -> bytes:
        return blake2b(text.encode("utf-8", "surrogatepass"), key=self._key, digest_size=DIGEST_BYTES).digest()
