"""The instant network: packing, its table, and the graph that is exported of it."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper

from registry.artefact.files import MOST_INSTANT_BYTES
from registry.errors import InvalidInput
from training.artefact.instant_graph import write_instant_graph
from training.artefact.mirror import mirror_onnx
from training.distilling.instant_network import BIGRAM_ROWS, InstantNetwork, table_width
from training.distilling.packing import pack

PIECES = 1000
PROMPTS = [np.random.default_rng(tokens).integers(0, PIECES, tokens).tolist() for tokens in (1, 2, 3, 5, 17, 128)]


@pytest.fixture(scope="module")
def network() -> InstantNetwork:
    """One whose weights are all drawn, those of the bigrams too."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = InstantNetwork(torch.randn(PIECES, 64)).eval()
        torch.nn.init.normal_(network.table.weight)
    return network


@pytest.fixture(scope="module")
def graph(network: InstantNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("graph") / "instant.onnx"
    write_instant_graph(network, path, 128)
    return path


def scores_of(graph: Path) -> list[float]:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return [float(session.run(["score"], {"input_ids": np.array([ids])})[0][0]) for ids in PROMPTS]


@torch.inference_mode()
def test_prompts_of_a_batch_do_not_see_each_other(network: InstantNetwork) -> None:
    alone = [float(network(pack([ids]))) for ids in PROMPTS]
    assert network(pack(PROMPTS)).tolist() == pytest.approx(alone, abs=1e-5)
    assert network(pack(PROMPTS[::-1])).tolist() == pytest.approx(alone[::-1], abs=1e-5)
    assert np.std(alone) > 0.02, "they are told apart"


@torch.inference_mode()
def test_word_order_counts(network: InstantNetwork) -> None:
    assert float(network(pack([[1, 2, 3]]))) != float(network(pack([[3, 2, 1]])))


@torch.inference_mode()
def test_exported_graph_computes_what_the_network_does(network: InstantNetwork, graph: Path) -> None:
    spread = float(np.std(network(pack(PROMPTS)).numpy()))
    assert scores_of(graph) == pytest.approx(network(pack(PROMPTS)).tolist(), abs=0.05 * spread)
    with torch.no_grad():
        rounded = InstantNetwork(torch.zeros(PIECES, 64)).eval()
        rounded.load_state_dict(network.state_dict())
        scales = network.table.weight.abs().amax(1, keepdim=True) / 127
        rounded.table.weight.copy_((network.table.weight / scales).round() * scales)
    assert scores_of(graph) == pytest.approx(rounded(pack(PROMPTS)).tolist(), abs=1e-5)


def test_the_table_is_int8_with_a_scale_for_each_row(graph: Path) -> None:
    constants = [numpy_helper.to_array(one) for one in onnx.load(graph).graph.initializer]
    (table,) = [one for one in constants if one.dtype == np.int8]
    assert table.shape == (PIECES + BIGRAM_ROWS, 64)
    assert (np.abs(table).max(axis=1) == 127).all(), "each row uses the range"
    assert [one.shape for one in constants if one.dtype == np.float32 and len(one) == len(table)] == [(len(table),)]


def test_mirrored_graph_says_the_opposite(graph: Path, tmp_path: Path) -> None:
    mirror_onnx(graph, tmp_path / "mirror.onnx")
    assert scores_of(tmp_path / "mirror.onnx") == [-score for score in scores_of(graph)]


@pytest.mark.parametrize(("pieces", "width"), [(1, 64), (30_522, 64), (120_000, 32), (250_002, 32), (500_000, 16)])
def test_the_graph_is_small_whatever_the_encoder(pieces: int, width: int, tmp_path: Path) -> None:
    assert table_width(pieces) == width
    write_instant_graph(InstantNetwork(torch.zeros(pieces, width)), tmp_path / "instant.onnx", 512)
    assert (tmp_path / "instant.onnx").stat().st_size < MOST_INSTANT_BYTES


def test_a_vocabulary_beyond_all_bounds_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"10,000,000 word pieces; .* distil_epochs=0"):
        table_width(10_000_000)
