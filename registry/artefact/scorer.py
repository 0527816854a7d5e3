"""The bare network of a tier: a request in, a score out."""

from collections.abc import Iterable
from math import isfinite
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from registry.artefact.card import InvalidRanker
from registry.artefact.graph import Graph, shared_graph
from registry.artefact.time_limit import TimeLimit
from registry.request import UnrankableContent
from registry.request_features import Readable, RequestView, as_view
from registry.window.token_window import TEXT_RENDERING, TextRendering, TokenWindow

FEATURES_INPUT = "features"
"""Of a graph that reads more than the text: float32 [prompts, features]; those of before, and some of today, do not."""

Inputs = dict[str, npt.NDArray[np.int64] | npt.NDArray[np.float32]]


class Scorer:
    """The bare network: a request in, a score out (higher = longer). One thread; safe to call from several."""

    def __init__(
        self,
        onnx_path: Path,
        tokenizer_path: Path,
        max_tokens: int,
        max_characters: int | None = None,
        limit_s: float | None = None,
        rendering: TextRendering = TEXT_RENDERING,
        head: int = 0,
        digest: str | None = None,
    ) -> None:
        """The network reads `max_tokens` of the ends of a request, of `max_characters`, for `limit_s` at most.

        Its score is that of the `head`. With the `digest` of the file, several scorers share the graph.

        Raises:
            InvalidRanker: the network or the tokenizer does not load.
        """
        try:
            self._graph = Graph(onnx_path) if digest is None else shared_graph(onnx_path, digest)
            tokenizer = Tokenizer.from_file(str(tokenizer_path))
        except Exception as error:  # both libraries raise bare or private exception types
            raise InvalidRanker(f"the network or tokenizer in {onnx_path.parent} does not load: {error}") from error
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self.window = TokenWindow(tokenizer, max_tokens, max_characters, rendering)
        self._head = head
        self._inputs = {one.name for one in self._graph.session.get_inputs()}
        self._time_limit = None if limit_s is None else TimeLimit(limit_s)

    def score(self, prompt: Readable) -> float:
        """Score one prompt. One a call, because int8 makes a score depend on its batch mates.

        Raises:
            UnrankableContent: an empty prompt.
            FloatingPointError: the network's answer is not finite.
            TimeoutError: it takes longer than it may.
        """
        view = as_view(prompt)
        if not view.text.strip():
            raise UnrankableContent("empty")
        score = self._graph.score(self._head, view, lambda: self._run(self._inputs_of(view)))
        if not isfinite(score):
            raise FloatingPointError(f"a score must be finite, but the ranker returned {score}.")
        return score

    def _inputs_of(self, view: RequestView) -> Inputs:
        ids = np.asarray([self.window.ids(view.text, view.tools)], dtype=np.int64)
        inputs: Inputs = {"input_ids": ids}
        if "attention_mask" in self._inputs:
            inputs["attention_mask"] = np.ones_like(ids)
        if FEATURES_INPUT in self._inputs:
            inputs[FEATURES_INPUT] = view.vector[np.newaxis]
        return inputs

    def _run(self, inputs: Inputs) -> npt.NDArray[np.float32]:
        if self._time_limit is None:
            return np.asarray(self._graph.session.run(["score"], inputs)[0])
        with self._time_limit.watching() as options:
            return np.asarray(self._graph.session.run(["score"], inputs, options)[0])

    def score_all(self, prompts: Iterable[Readable]) -> npt.NDArray[np.float64]:
        """Score prompts one by one."""
        return np.array([self.score(prompt) for prompt in prompts], dtype=np.float64)
