"""What was computed of texts that come again: kept by a keyed digest, so that no text is."""

from collections import OrderedDict
from hashlib import blake2b
from secrets import token_bytes
from threading import Lock
from typing import Generic, TypeVar

DIGEST_BYTES = 16

Value = TypeVar("Value")


class KeyedCache(Generic[Value]):
    """The latest values, the least recently used forgotten first. Safe from any thread."""

    def __init__(self, size: int) -> None:
        """`size` is the number of texts; 0 keeps none."""
        self.size = size
        self._key = token_bytes(DIGEST_BYTES)
        self._value_of: OrderedDict[bytes, Value] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._value_of)

    def get(self, text: bytes) -> Value | None:
        """What is known of a text; None if nothing is."""
        digest = self._digest(text)
        with self._lock:
            value = self._value_of.get(digest)
            if value is not None:
                self._value_of.move_to_end(digest)
        return value

    def put(self, text: bytes, value: Value) -> None:
        """Keep what was computed of a text."""
        digest = self._digest(text)
        with self._lock:
            self._value_of[digest] = value
            self._value_of.move_to_end(digest)
            if len(self._value_of) > self.size:
                self._value_of.popitem(last=False)

    def _digest(self, text: bytes) -> bytes:
        return blake2b(text, key=self._key, digest_size=DIGEST_BYTES).digest()
