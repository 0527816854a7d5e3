"""An exported graph scores the same on every processor: no sum of its int8 products can saturate."""

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from onnxruntime.quantization import quantize_dynamic

from registry import store
from registry.artefact.card import REFERENCE_TOLERANCE, ReferenceScores
from registry.artefact.files import INSTANT_FILE, ONNX_FILE, TOKENIZER_FILE, sha256_of
from registry.artefact.scorer import Scorer
from registry.artefact.weights import fetch_weights
from registry.ranker import Ranker
from tests.servers import PROJECT
from tests.training.tiny import TARGET_LLM, TinyTraining
from training.artefact import export
from training.artefact.export import export_onnx
from training.network.encoder import RankerNetwork, load_network, load_weights

INT16 = np.iinfo(np.int16)
QEMU = shutil.which("qemu-x86_64")
ERROR_HERE = """
import sys
from pathlib import Path
from registry.ranker import Ranker
print(Ranker.load(Path(sys.argv[1])).reference_error)
"""


@pytest.fixture(scope="module")
def network(tiny_encoder: Path) -> RankerNetwork:
    """A small network, some of whose weights stand out far."""
    network = load_network(str(tiny_encoder), 128)
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(0)
        for parameter in network.parameters():
            parameter.mul_(torch.where(torch.rand_like(parameter) < 0.05, 50.0, 1.0))
    return network


def weights_of(graph: Path) -> list[np.ndarray]:
    """The int8 weights of each product, [inputs, outputs]."""
    model = onnx.load(graph)
    constants = {one.name: one for one in model.graph.initializer}
    return [numpy_helper.to_array(constants[n.input[1]]) for n in model.graph.node if n.op_type == "MatMulInteger"]


def sums(activations: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Products of 8-bit activations [inputs, outputs] and weights, summed as a processor without VNNI does it.

    Two neighbours at a time in 16 bits, which saturate (`vpmaddubsw`); then all of them in 32 bits.
    """
    products = activations.astype(np.int64) * weights
    pairs = np.add.reduceat(products, np.arange(0, len(products), 2), axis=0)
    saturated: np.ndarray = np.clip(pairs, INT16.min, INT16.max).sum(axis=0)
    return saturated


def worst_activations(weights: np.ndarray) -> Iterator[np.ndarray]:
    """All that adds up in one direction at its largest, the rest at zero; each way."""
    yield np.where(weights > 0, 255, 0)
    yield np.where(weights < 0, 255, 0)


def test_no_sum_saturates_whatever_the_activations_are(network: RankerNetwork, tmp_path: Path) -> None:
    export_onnx(network, tmp_path / ONNX_FILE)
    products = weights_of(tmp_path / ONNX_FILE)
    assert len(products) == 6, "query, key, value, attention's output, and the two of the feed-forward"
    for weights in products:
        assert weights.dtype == np.int8
        assert np.abs(weights).max() == 64, "the range is used"
        for activations in worst_activations(weights):
            assert (sums(activations, weights) == (activations * weights.astype(np.int64)).sum(axis=0)).all()


def test_full_range_would_saturate(network: RankerNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_full_range(monkeypatch)
    export_onnx(network, tmp_path / ONNX_FILE)
    assert any(
        (sums(activations, weights) != (activations * weights.astype(np.int64)).sum(axis=0)).any()
        for weights in weights_of(tmp_path / ONNX_FILE)
        for activations in worst_activations(weights)
    )


def test_trained_ranker_scores_as_its_card_says(tiny_store: TinyTraining) -> None:
    ranker = store.load_ranker(f"models:/{store.model_name(TARGET_LLM)}/{tiny_store.version}")
    assert ranker.reference_error == 0
    assert ranker.card.reference is not None
    assert ranker.card.reference.spread > 0.01


def use_full_range(monkeypatch: pytest.MonkeyPatch) -> None:
    """Export as version 0.1.0 did, with weights up to ±127."""
    monkeypatch.setattr(
        export, "quantize_dynamic", lambda *args, **kwargs: quantize_dynamic(*args, **{**kwargs, "reduce_range": False})
    )


def error_without_vnni(folder: Path) -> float:
    """The reference error of a ranker on a processor with AVX2 alone."""
    command = [str(QEMU), "-cpu", "Haswell", sys.executable, "-c", ERROR_HERE, str(folder)]
    return float(subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True).stdout)


@pytest.mark.slow
@pytest.mark.skipif(QEMU is None, reason="qemu-x86_64, which shows a processor without VNNI, is not installed")
@pytest.mark.skipif(platform.machine() != "x86_64", reason="this interpreter is not for x86-64")
def test_other_processor_gives_the_same_order_but_not_with_the_full_range(
    tiny_store: TinyTraining, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = f"models:/{store.model_name(TARGET_LLM)}/{tiny_store.version}"
    folder = store.ranker_folder(uri)
    assert error_without_vnni(folder) <= REFERENCE_TOLERANCE
    assert error_without_vnni(_with_full_range(folder, uri, tmp_path, monkeypatch)) > REFERENCE_TOLERANCE


def _with_full_range(folder: Path, uri: str, other: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same ranker, exported with weights up to ±127, and with the scores that it then has on this machine."""
    card, weights = fetch_weights(uri)
    network = load_network(card.encoder, card.max_tokens)
    load_weights(network, weights)
    use_full_range(monkeypatch)
    export_onnx(network, other / ONNX_FILE)
    for name in (TOKENIZER_FILE, INSTANT_FILE):
        shutil.copy(folder / name, other)
    scorer = Scorer(other / ONNX_FILE, other / TOKENIZER_FILE, card.max_tokens)
    assert card.reference is not None
    changes = {
        "reference": ReferenceScores.of(scorer.score, card.reference.spread),
        "sha256": card.sha256 | {ONNX_FILE: sha256_of(other / ONNX_FILE)},
    }
    card.model_copy(update=changes).write(other)
    assert Ranker.load(other).reference_error == 0
    return other
