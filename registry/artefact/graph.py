"""The graph of an encoder: loaded once in a process, for all the rankers that are its heads, and run once a request.

Rankers of several target LLMs that were trained together have the same graph, the same file, with a head each. Whoever
asks one head has all of them computed; what they say is kept for the others, and given to each of them once. A ranker
that is asked of the same request again computes it anew, so that nothing here makes repeated requests look cheap.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from weakref import WeakValueDictionary

import numpy as np
import numpy.typing as npt
import onnxruntime

from registry.keyed_cache import KeyedCache
from registry.request_features import RequestView

KEPT_REQUESTS = 256
"""Of so many requests it is kept what the other heads say."""

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Unread:
    """What the heads say of a request, and which of them have not been asked."""

    scores: Scores
    """[heads]."""
    heads: set[int]


class Graph:
    """A session and its heads. Safe from any thread."""

    def __init__(self, onnx_path: Path) -> None:
        """Raises: what ONNX Runtime raises, bare or private exception types."""
        onnxruntime.disable_telemetry_events()  # for whoever loads a ranker without our commands, as pyfunc does
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(onnx_path, options, providers=["CPUExecutionProvider"])
        self._has_heads = len(self.session.get_outputs()[0].shape) > 1
        self._unread: KeyedCache[Unread] = KeyedCache(KEPT_REQUESTS)

    def score(self, head: int, view: RequestView, run: Callable[[], Scores]) -> float:
        """What a head says of a request; `run` computes what all say."""
        if not self._has_heads:
            return float(run().reshape(()))
        request = repr(view).encode()
        known = self._unread.get(request)
        if known is not None and head in known.heads:
            known.heads.discard(head)
            return float(known.scores[head])
        scores = run().reshape(-1)
        self._unread.put(request, Unread(scores, {*range(len(scores))} - {head}))
        return float(scores[head])


_loaded: WeakValueDictionary[str, Graph] = WeakValueDictionary()
_loading = Lock()


def shared_graph(onnx_path: Path, digest: str) -> Graph:
    """The graph of the file with this digest, which somebody in this process may have loaded already.

    Raises: what `Graph` raises.
    """
    with _loading:
        graph = _loaded.get(digest)
        if graph is None:
            _loaded[digest] = graph = Graph(onnx_path)
    return graph
