"""A ranker's mirror image: the same network with its scores negated, as an edit of the exported graph."""

from pathlib import Path

import onnx
from onnx import helper

OUTPUT = "score"
BEFORE = "score_before_mirroring"


def mirror_onnx(source: Path, target: Path) -> None:
    """Write the graph of `source` to `target` with one node more, which negates the score."""
    model = onnx.load(source)
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = [BEFORE if name == OUTPUT else name for name in names]
    model.graph.node.append(helper.make_node("Neg", [BEFORE], [OUTPUT]))
    onnx.save(model, target)
