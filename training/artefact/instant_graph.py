"""The instant network as an ONNX graph for one prompt, of as few operations as possible: each costs a microsecond."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from registry.artefact.scorer import FEATURES_INPUT
from registry.request_features import FEATURES
from training.distilling.instant_network import BIGRAM_ROWS, CHANNELS, HEADS, MULTIPLIERS, SPAN, InstantNetwork
from training.distilling.packing import GAP
from training.network.feature_head import FeatureHead

OPSET, IR_VERSION = 20, 9
NO_REMAINDER = 2**62
"""A word piece's row is its own id."""
INT8_MOST = 127


def write_instant_graph(network: InstantNetwork, path: Path, max_tokens: int) -> None:
    """Write the network; `input_ids` int64 [1, tokens] in, `score` float32 [1] out, of at most `max_tokens` tokens.

    One that reads features takes `features`, float32 [1, features], too.

    The table, nearly all of it, becomes int8 with a scale for each row, and only the rows that a prompt needs become
    float again. All arithmetic is float, so scores do not depend on what a processor does with sums of int8.
    """
    graph = _Graph()
    ids = graph.add("Squeeze", "input_ids", graph.integers(0))
    tokens = graph.add("Shape", ids)
    windows = graph.add("Slice", graph.constant(_windows(max_tokens, SPAN)), graph.integers(0), tokens)
    states = _embedded(graph, network, ids, windows)
    convolved = _convolved(graph, network.first, states, windows)
    states = _normalised(graph, network.first_norm, convolved)
    convolved = graph.add("Add", _convolved(graph, network.second, states, windows), states)
    states = _normalised(graph, network.second_norm, convolved)
    attention = graph.add("Softmax", _linear(graph, network.attention, states), axis=0)
    pooled = graph.add("Reshape", graph.add("Gemm", attention, states, transA=1), graph.integers(1, HEADS * CHANNELS))
    hidden = graph.add("Relu", _linear(graph, network.hidden, pooled))
    score = _linear(graph, network.score, hidden)
    if network.feature_head is not None:
        score = graph.add("Add", score, _of_features(graph, network.feature_head, hidden))
    graph.add("Reshape", score, graph.integers(1), output="score")
    onnx.save(graph.model(network.feature_head is not None), path)


class _Graph:
    """A graph that grows; what is added returns the name of its output."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, value: npt.NDArray[np.generic] | Tensor) -> str:
        array = value.detach().numpy() if isinstance(value, Tensor) else value
        name = f"constant{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def integers(self, *values: int) -> str:
        return self.constant(np.array(values, dtype=np.int64))

    def add(self, operation: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        name = output or f"{operation}{len(self._nodes)}"
        self._nodes.append(helper.make_node(operation, inputs, [name], **attributes))
        return name

    def model(self, reads_features: bool) -> onnx.ModelProto:
        ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "tokens"])
        features = helper.make_tensor_value_info(FEATURES_INPUT, TensorProto.FLOAT, [1, len(FEATURES)])
        graph = helper.make_graph(
            self._nodes,
            "instant",
            [ids, features] if reads_features else [ids],
            [helper.make_tensor_value_info("score", TensorProto.FLOAT, [1])],
            self._constants,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def _windows(max_tokens: int, span: int) -> npt.NDArray[np.int64]:
    """Where the tokens of each window stand, the row being padded by half a span to either side."""
    return np.arange(max_tokens)[:, None] + np.arange(span)


def _embedded(graph: _Graph, network: InstantNetwork, ids: str, windows: str) -> str:
    """Float [tokens, width]: of each token the sum of its piece's and its bigram's row."""
    before = graph.add("Pad", ids, graph.integers(1, SPAN - 2))
    multipliers = np.zeros((SPAN, 2), dtype=np.int64)  # of the same windows as a convolution's, the first two tokens
    multipliers[:2] = np.array(MULTIPLIERS).T
    hashes = graph.add("MatMul", graph.add("Gather", before, windows), graph.constant(multipliers))
    remainders = graph.add("Mod", hashes, graph.integers(NO_REMAINDER, BIGRAM_ROWS))
    rows = graph.add("Add", remainders, graph.integers(0, network.pieces))
    table, scales = _int8(network.table.weight)
    values = graph.add("Cast", graph.add("Gather", graph.constant(table), rows), to=TensorProto.FLOAT)
    one = graph.integers(1)
    scale_of = graph.add("Unsqueeze", graph.add("Gather", graph.constant(scales), rows), one)
    return graph.add("Squeeze", graph.add("MatMul", scale_of, values), one)  # scales and sums in one operation


def _int8(table: Tensor) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """The rows in whole numbers, int8 [rows, width], and what each row's are multiplied by, [rows]."""
    values = table.detach().numpy()
    scales = np.abs(values).max(axis=1) / INT8_MOST
    whole = np.rint(values / np.where(scales > 0, scales, 1)[:, None])
    return whole.astype(np.int8), scales.astype(np.float32)


def _convolved(graph: _Graph, convolution: nn.Conv1d, states: str, windows: str) -> str:
    """A convolution as one product, which is faster for one prompt than the operation of this name."""
    channels, inputs, span = convolution.weight.shape
    padded = graph.add("Pad", states, graph.integers(GAP, 0, GAP, 0))
    seen = graph.add("Reshape", graph.add("Gather", padded, windows), graph.integers(-1, span * inputs))
    weights = convolution.weight.permute(2, 1, 0).reshape(span * inputs, channels)
    assert convolution.bias is not None
    return graph.add("Relu", graph.add("Gemm", seen, graph.constant(weights), graph.constant(convolution.bias)))


def _of_features(graph: _Graph, head: FeatureHead, hidden: str) -> str:
    """Float [1, 1]: what the features add to the score."""
    is_missing = graph.add("IsNaN", FEATURES_INPUT)
    filled = graph.add("Where", is_missing, graph.constant(head.mean), FEATURES_INPUT)
    least, most = graph.constant(head.least), graph.constant(head.most)
    clamped = graph.add("Min", graph.add("Max", filled, least), most)
    both = graph.add("Concat", clamped, graph.add("Cast", is_missing, to=TensorProto.FLOAT), axis=1)
    inputs = graph.add("Mul", graph.add("Sub", both, graph.constant(head.centre)), graph.constant(head.scale))
    text = graph.add("Gemm", hidden, graph.constant(head.text.T))
    together = graph.add("Concat", text, inputs, axis=1)
    seen = graph.add("Relu", graph.add("Gemm", together, graph.constant(head.hidden.T), graph.constant(head.bias)))
    alone = graph.add("Gemm", inputs, graph.constant(head.linear[:, None]))
    return graph.add("Add", alone, graph.add("Gemm", seen, graph.constant(head.out[:, None])))


def _linear(graph: _Graph, linear: nn.Linear, states: str) -> str:
    return graph.add("Gemm", states, graph.constant(linear.weight.T), graph.constant(linear.bias))


def _normalised(graph: _Graph, norm: nn.LayerNorm, states: str) -> str:
    return graph.add("LayerNormalization", states, graph.constant(norm.weight), graph.constant(norm.bias))
