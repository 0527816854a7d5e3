"""A ranker that can be made to hang, raise or run out of memory by a word in a prompt: faults with no back door.

Real artefacts: the words act inside the ONNX graph, in ONNX Runtime. Other prompts are scored as ever.
"""

from typing import Final

import numpy as np
from onnx import GraphProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper
from tokenizers import Tokenizer

SLOW: Final = "glacier"
"""Each one in a prompt costs some 30 ms, outside of Python's lock; 120 of them are longer than any budget."""
RAISES: Final = "cliff"
"""ONNX Runtime raises."""
OUT_OF_MEMORY: Final = "ocean"
"""ONNX Runtime asks for more memory than any machine has."""

HANGS: Final = " ".join([SLOW] * 120)

SIDE = 256
MULTIPLICATIONS_A_WORD = 60
BEYOND_ANY_VOCABULARY = 10**9
BEYOND_ANY_MEMORY = 2**46


class TrappedGraph:
    """Nodes and constants that go before and after a graph's own: token ids in, and 0 added to the score."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self.nodes: list[NodeProto] = []
        self.constants = [
            numpy_helper.from_array(np.array(value, dtype=dtype), name)
            for name, value, dtype in (
                ("one", [1], np.int64),
                ("words", MULTIPLICATIONS_A_WORD, np.int64),
                ("beyond_vocabulary", BEYOND_ANY_VOCABULARY, np.int64),
                ("beyond_memory", [BEYOND_ANY_MEMORY], np.int64),
                ("always", True, np.bool_),
                ("nothing", 0.0, np.float32),
                ("square", np.full((SIDE, SIDE), 1 / SIDE), np.float32),
            )
        ]
        self._raise(self._count(RAISES))
        self._fill_memory(self._count(OUT_OF_MEMORY))
        self._dawdle(self._count(SLOW))

    def _add(self, kind: str, *inputs: str, **attributes: object) -> str:
        name = f"trap_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def _count(self, word: str) -> str:
        """How often a word stands in the prompt."""
        name = f"id_of_{word}"
        self.constants.append(numpy_helper.from_array(np.array(self._tokenizer.token_to_id(word), np.int64), name))
        is_word = self._add("Equal", "input_ids", name)
        return self._add("ReduceSum", self._add("Cast", is_word, to=TensorProto.INT64), keepdims=0)

    def _raise(self, count: str) -> None:
        self._ids = self._add("Add", "input_ids", self._add("Mul", count, "beyond_vocabulary"))

    def _fill_memory(self, count: str) -> None:
        shape = self._add("Add", self._add("Mul", count, "beyond_memory"), "one")
        self._memory = self._add("ReduceSum", self._add("ConstantOfShape", shape), keepdims=0)

    def _dawdle(self, count: str) -> None:
        times = self._add("Mul", count, "words")
        done = self._add("Loop", times, "always", "square", body=_multiply())
        work = self._add("Mul", self._add("ReduceMax", done, keepdims=0), "nothing")
        self._zero = self._add("Add", work, self._memory)

    @property
    def ids(self) -> str:
        """The token ids, or what no vocabulary holds."""
        return self._ids

    @property
    def zero(self) -> str:
        """0, once all traps are passed."""
        return self._zero


class Untrapped:
    """The same with no traps."""

    nodes: Final[list[NodeProto]] = []
    constants: Final = [numpy_helper.from_array(np.array(0.0, np.float32), "nothing")]
    ids: Final = "input_ids"
    zero: Final = "nothing"


def _multiply() -> GraphProto:
    """The loop's body: one product of two matrices."""

    def matrix(name: str) -> ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [SIDE, SIDE])

    def flag(name: str) -> ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.BOOL, [])

    nodes = [
        helper.make_node("Identity", ["goes_on"], ["still_goes_on"]),
        helper.make_node("MatMul", ["before", "square"], ["after"]),
    ]
    index = helper.make_tensor_value_info("index", TensorProto.INT64, [])
    return helper.make_graph(
        nodes, "multiply", [index, flag("goes_on"), matrix("before")], [flag("still_goes_on"), matrix("after")]
    )
