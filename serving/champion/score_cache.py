"""What an encoder has said of requests that come again."""

from registry.keyed_cache import KeyedCache
from registry.ranker import Prediction
from registry.request_features import RequestView

MOST_CHARACTERS = 65_536
"""A longer text is not kept: its digest would take the event loop longer than a place is worth."""


class ScoreCache:
    """The latest predictions of one ranker, the least recently used forgotten first. Safe from any thread."""

    def __init__(self, size: int = 0) -> None:
        """`size` is the number of requests; 0 keeps none."""
        self._predictions = KeyedCache[Prediction](size)

    def get(self, view: RequestView) -> Prediction | None:
        """What was said of a request; None if that is not known."""
        return self._predictions.get(_bytes(view)) if self._keeps(view) else None

    def put(self, view: RequestView, prediction: Prediction) -> None:
        """Keep what was said of a request."""
        if self._keeps(view):
            self._predictions.put(_bytes(view), prediction)

    def _keeps(self, view: RequestView) -> bool:
        return self._predictions.size > 0 and len(view.text) <= MOST_CHARACTERS


def _bytes(view: RequestView) -> bytes:
    """All of it: two requests of the same text may differ in what they ask for."""
    texts = f"{len(view.tools)} {view.tools}{view.text}"
    return view.vector.tobytes() + texts.encode("utf-8", "surrogatepass")
