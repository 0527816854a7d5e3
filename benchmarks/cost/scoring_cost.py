"""What scoring one prompt costs, and what int8 costs in order: a registered ranker against its own float network."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from time import perf_counter

import mlflow
import torch
from transformers import BertConfig, BertModel

from registry import store
from registry.artefact.weights import fetch_weights
from registry.request_features import RequestView
from registry.tracking import log_parameters
from terminal.progress import track
from traffic.labelled_prompts import require_two_lengths
from traffic.length_log import LengthLogSource, read_length_log
from training.judging.ranking_metrics import kendall_tau_b
from training.network.encoder import RankerNetwork, load_network, load_weights

TIMED_PROMPTS = 200
"""Test prompts that are timed; each by all three networks in turn, so that a slow moment hits all of them."""


@dataclass(frozen=True, kw_only=True)
class ScoringConfig(LengthLogSource):
    """Which ranker, on which prompts."""

    ranker: str
    """`models:/pars-NAME@champion`, `models:/pars-NAME/VERSION`, or a folder; with its float weights."""
    max_prompts: int | None = None
    """Test prompts at most; all of them unless given."""
    seed: int = 0
    """Draws the prompts."""


@dataclass(frozen=True)
class ScoringCost:
    """Medians over the timed prompts, one prompt a call and one thread; tau-b over all test prompts."""

    artefact_ms: float
    """The int8 ONNX graph, as it is served."""
    float_ms: float
    """The same network in torch, float32."""
    bert_base_ms: float
    """A BERT-base (random weights) with the same head, by the same code, in torch, float32."""
    artefact_kendall_tau_b: float
    float_kendall_tau_b: float

    @property
    def sentence(self) -> str:
        """All of it, for people."""
        return (
            f"One prompt, one thread: {self.artefact_ms:.1f} ms as served, {self.float_ms:.1f} ms as float32,"
            f" {self.bert_base_ms:.1f} ms by a BERT-base ({self.bert_base_ms / self.artefact_ms:.1f} times as served)."
            f" kendall_tau_b {self.artefact_kendall_tau_b:.4f} as served, {self.float_kendall_tau_b:.4f} as float32."
        )


def measure_scoring(config: ScoringConfig) -> ScoringCost:
    """Time a ranker and measure how well it orders the log's test prompts, before and after quantisation.

    Raises:
        InvalidInput, RegistryError, InvalidRanker: the log or the ranker cannot be used.
    """
    test = require_two_lengths(read_length_log(config).part("test", config.max_prompts, config.seed), "test")
    scorer = store.load_ranker(config.ranker).scorer
    card, weights = fetch_weights(config.ranker)
    own = load_network(card.encoder, card.max_tokens, card.features_version is not None)
    load_weights(own, weights)
    bert_config = BertConfig()
    bert_base = RankerNetwork(BertModel(bert_config), bert_config.hidden_size)  # type: ignore[no-untyped-call]

    def of(network: RankerNetwork) -> Callable[[RequestView], float]:
        network.eval()

        @torch.inference_mode()
        def score(view: RequestView) -> float:
            ids = torch.tensor([scorer.window.ids(view.text, view.tools)])
            return float(network(ids, torch.ones_like(ids), torch.from_numpy(view.vector).unsqueeze(0)))

        return score

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        artefact_ms, float_ms, bert_base_ms = _milliseconds((scorer.score, of(own), of(bert_base)), test.views)
    finally:
        torch.set_num_threads(threads)
    by_float = [of(own)(view) for view in track(test.views, "score as float32", "prompts")]
    by_artefact = scorer.score_all(track(test.views, "score as served", "prompts"))
    cost = ScoringCost(
        artefact_ms,
        float_ms,
        bert_base_ms,
        kendall_tau_b(by_artefact, test.output_tokens, test.is_censored),
        kendall_tau_b(torch.tensor(by_float).double().numpy(), test.output_tokens, test.is_censored),
    )
    log_parameters(config)
    mlflow.log_metrics(asdict(cost))
    return cost


def _milliseconds(scorers: tuple[Callable[[RequestView], float], ...], prompts: Sequence[RequestView]) -> list[float]:
    """Median time of each scorer on the first prompts, each of which all of them score in turn."""
    for score in scorers:
        score(prompts[0])  # the first call allocates
    taken_ms: list[list[float]] = [[] for _ in scorers]
    for prompt in track(prompts[:TIMED_PROMPTS], "time", "prompts"):
        for one, score in zip(taken_ms, scorers, strict=True):
            started = perf_counter()
            score(prompt)
            one.append((perf_counter() - started) * 1000)
    return [median(one) for one in taken_ms]
