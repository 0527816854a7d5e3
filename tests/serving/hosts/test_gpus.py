"""GPUs are allotted by vLLM's parallel sizes, also by BentoML's own allocator."""

import shlex

import pytest
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.utils.argparse_utils import FlexibleArgumentParser

from serving.hosts.gpus import SIZES, num_gpus
from tests.bentomls import bentomls

FLAGS = [
    ("", 1),
    ("--dtype float32 --max-num-seqs 16", 1),
    ("--tensor-parallel-size 4", 4),
    ("--tensor_parallel_size=4", 4),
    ("-tp 2 -pp=3", 6),
    ("-tp 2 --data-parallel-size 4", 8),
    ("-tp 2 -dp 4 -dpl 2", 4),
    ("-tp 2 -dp 4 --data-parallel-rank 1", 2),
    ("-pcp 2 -dcp 2 -tp 2", 4),
    ("-tp 16 --nnodes 2", 8),
    ("-tp 8 -dp 4 --nnodes 2", 16),
    ("--tensor-parallel 2", 2),
    ("-tp 2 -tp 4", 4),
    ("-tp two", 1),
    ("--data-parallel 2 -tp 2", 1),
]


@pytest.mark.parametrize(("flags", "gpus"), FLAGS)
def test_sizes_multiply(flags: str, gpus: int) -> None:
    assert num_gpus(shlex.split(flags)) == gpus


def test_names_are_vllms() -> None:
    parser = AsyncEngineArgs.add_cli_args(FlexibleArgumentParser())
    known = {tuple(action.option_strings) for action in parser._actions}
    assert set(SIZES) <= known


@pytest.mark.parametrize(("flags", "visible"), [("", "0"), ("-tp 2", "0,1"), ("-tp 2 -dp 2", "0,1,2,3")])
def test_bentoml_shows_the_worker_as_many(monkeypatch: pytest.MonkeyPatch, flags: str, visible: str) -> None:
    allocator = bentomls("_bentoml_impl.server.allocator")
    monkeypatch.setattr(allocator, "system_resources", lambda: {"cpu": 8.0, allocator.NVIDIA_GPU: [0, 1, 2, 3]})
    for name in ("CUDA_VISIBLE_DEVICES", allocator.DISABLE_GPU_ALLOCATION_ENV):
        monkeypatch.delenv(name, raising=False)
    service = type("Service", (), {"name": "pars"})
    services = {"pars": {"workers": 1, "resources": {"gpu": num_gpus(shlex.split(flags))}}}
    _, environment = allocator.ResourceAllocator().get_worker_env(service, services)
    assert environment == {"CUDA_VISIBLE_DEVICES": visible}
