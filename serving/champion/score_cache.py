"""What an encoder has said of texts that come again."""

from registry.keyed_cache import KeyedCache
from registry.ranker import Prediction

MOST_CHARACTERS = 65_536
"""A longer text is not kept: its digest would take the event loop longer than a place is worth."""


class ScoreCache:
    """The latest predictions of one ranker, the least recently used forgotten first. Safe from any thread."""

    def __init__(self, size: int = 0) -> None:
        """`size` is the number of texts; 0 keeps none."""
        self._predictions = KeyedCache[Prediction](size)

    def get(self, text: str) -> Prediction | None:
        """What was said of a text; None if that is not known."""
        return self._predictions.get(_bytes(text)) if self._keeps(text) else None

    def put(self, text: str, prediction: Prediction) -> None:
        """Keep what was said of a text."""
        if self._keeps(text):
            self._predictions.put(_bytes(text), prediction)

    def _keeps(self, text: str) -> bool:
        return self._predictions.size > 0 and len(text) <= MOST_CHARACTERS


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
