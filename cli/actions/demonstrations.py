"""Commands on embedded data."""

from dataclasses import dataclass

from benchmarks.demo import demo_lengths
from benchmarks.demo.demo_lengths import DemoLengthsConfig


@dataclass(frozen=True, kw_only=True)
class DemoConfig:
    """There is nothing to set."""


def write_workload(config: DemoLengthsConfig) -> str:
    """Write the embedded workload as a length log."""
    demo_lengths.write_workload(config.out, config.prompts, config.seed)
    return f"{config.prompts} prompts in {config.out}"


def demo(_: DemoConfig) -> str:
    """Live the whole life of a ranker."""
    from benchmarks.demo.demo import run_demo  # needs what an environment for training alone has not

    return run_demo()


def loop(_: DemoConfig) -> str:
    """Close the circle from traffic to a ranker."""
    from loop.demo.closed_loop import run_loop

    return run_loop()
