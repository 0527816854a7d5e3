"""What an order by work would gain if it knew which tokens of a prompt the prefix cache will hold: an upper bound.

`python -m tests.benchmarks.simulation.known_prefixes reasoning_gym.parquet`
"""

import sys
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.policies.places import Values, places
from benchmarks.simulation.config import SimulationConfig
from benchmarks.simulation.engine.engine_settings import EngineSettings
from benchmarks.simulation.engine.order import Order
from benchmarks.simulation.engine.run import Run, simulate_run
from benchmarks.simulation.workload import read_workload
from serving.work.price import TokenPrice
from serving.work.step_cost import StepCost
from traffic.batch import Traffic

COST = StepCost(fixed_s=8e-3, per_token_s=20e-6, per_sequence_s=10e-6)
ENGINE = EngineSettings(max_num_seqs=64, prefix_caching="on")
PRICE = TokenPrice.of(COST, max_num_seqs=ENGINE.max_num_seqs, max_num_batched_tokens=ENGINE.max_num_batched_tokens)
BLOCK_TOKENS = 16
REQUESTS, SEEDS = 500, (0, 1)


def shared_tokens(traffic: Traffic) -> Values:
    """Tokens at the beginning of each prompt, in whole blocks, with which another one begins too."""
    assert traffic.token_ids is not None
    beginnings = [[one[:end] for end in range(BLOCK_TOKENS, len(one), BLOCK_TOKENS)] for one in traffic.token_ids]
    count = Counter(beginning for of_prompt in beginnings for beginning in of_prompt)
    return np.array([max((len(one) for one in its if count[one] > 1), default=0) for its in beginnings], dtype=float)


def times(traffic: Traffic, order: Order) -> Values:
    """Mean seconds per token and mean end-to-end seconds."""
    answers = simulate_run(Run(traffic=traffic, order=order, engine=ENGINE, cost=COST))
    return np.array([(answers.e2e_s / answers.output_tokens).mean(), answers.e2e_s.mean()])


def show(log: Path, seed: int) -> None:
    """Print how much better each order is than first come, first served."""
    traffic = read_workload(
        SimulationConfig(
            lengths=log,
            length_column="response_tokens",
            model="meta-llama/llama-3.3-70b-instruct",
            part="all",
            requests=REQUESTS,
            prefix_caching="on",
            seed=seed,
        )
    )
    shared = shared_tokens(traffic)
    fcfs = times(traffic, Order())
    for name, known in {"all tokens": np.zeros(len(traffic)), "tokens that no other prompt has": shared}.items():
        work = [PRICE.work_s(*one) for one in zip(traffic.prompt_tokens - known, traffic.output_tokens, strict=True)]
        gain = fcfs / times(traffic, Order(quantiles=places(np.array(work)), patience_s=1e6))
        share = shared.sum() / traffic.prompt_tokens.sum()
        sys.stdout.write(f"seed {seed}, {share:.0%} shared | work of {name} | {gain[0]:.2f} | {gain[1]:.3f}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    for one in SEEDS:
        show(Path(sys.argv[1]), one)
