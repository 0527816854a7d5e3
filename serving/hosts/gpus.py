"""How many GPUs of this machine an engine takes, read from vLLM's flags without vLLM: importing it takes seconds."""

import argparse
from collections.abc import Sequence
from typing import NoReturn

SIZES = (
    ("--tensor-parallel-size", "-tp"),
    ("--pipeline-parallel-size", "-pp"),
    ("--prefill-context-parallel-size", "-pcp"),
    ("--data-parallel-size", "-dp"),
    ("--data-parallel-size-local", "-dpl"),
    ("--data-parallel-rank", "-dpn"),
    ("--nnodes", "-n"),
)
"""vLLM's flags, by both of their names. A context that is shared for decoding takes no GPUs of its own."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def num_gpus(vllm_flags: Sequence[str]) -> int:
    """The GPUs for vLLM's parallel sizes; 1 where they cannot be read, as vLLM will say itself."""
    parser = _Parser(add_help=False)
    for names in SIZES:
        parser.add_argument(*names, type=int)
    try:
        sizes, _ = parser.parse_known_args([_with_dashes(flag) for flag in vllm_flags])
    except ValueError:
        return 1
    of_one = (sizes.tensor_parallel_size or 1) * (sizes.pipeline_parallel_size or 1)
    return max(of_one * (sizes.prefill_context_parallel_size or 1) * _num_engines(sizes) // (sizes.nnodes or 1), 1)


def _num_engines(sizes: argparse.Namespace) -> int:
    """Data-parallel engines of all `--nnodes` machines."""
    if sizes.data_parallel_size_local is not None:
        return int(sizes.data_parallel_size_local) * (sizes.nnodes or 1)
    return 1 if sizes.data_parallel_rank is not None else sizes.data_parallel_size or 1


def _with_dashes(flag: str) -> str:
    """As vLLM does: `--tensor_parallel_size` is `--tensor-parallel-size`."""
    name, equals, value = flag.partition("=")
    return name.replace("_", "-") + equals + value if name.startswith("--") else flag
