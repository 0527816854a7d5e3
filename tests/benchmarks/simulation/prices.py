"""Which price of a token orders a queue best: bursts of recorded traffic through vLLM's scheduler.

`python -m tests.benchmarks.simulation.prices TRACES`, the folder of azure_2023_code.parquet and azure_2023_conv.parquet
"""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.policies.places import Values, noisy_quantiles, places
from benchmarks.simulation.engine.engine_settings import EngineSettings
from benchmarks.simulation.engine.order import Order
from benchmarks.simulation.engine.run import Run, simulate_run
from serving.work.price import TokenPrice
from serving.work.step_cost import StepCost
from traffic.batch import Traffic
from traffic.served_log import ServedLogSource, read_served_log

COSTS = {
    "per token": StepCost(fixed_s=8e-3, per_token_s=20e-6, per_sequence_s=10e-6),
    "per token, and in context": StepCost(
        fixed_s=5e-3, per_token_s=27e-6, per_sequence_s=10e-6, per_context_token_s=0.04e-6
    ),
    "constant": StepCost(fixed_s=8e-3, per_token_s=0, per_sequence_s=0),
}
ENGINE = EngineSettings(max_num_seqs=64)
REQUESTS = {"azure_2023_code": 500, "azure_2023_conv": 400}
TAU_B = 0.6


def burst(trace: Path) -> Traffic:
    """Some requests of a trace, drawn by a seed, all at once."""
    log = read_served_log(ServedLogSource(log=trace, length_column="response_tokens"))
    drawn = log.take(np.random.default_rng(0).permutation(len(log))[: REQUESTS[trace.stem]])
    return replace(drawn, arrival_s=np.zeros(len(drawn)))


def amounts(prompts: Values, answers: Values, cost: StepCost) -> Mapping[str, Values]:
    """What each order goes by, of all requests."""
    price = TokenPrice.of(cost, max_num_seqs=ENGINE.max_num_seqs, max_num_batched_tokens=ENGINE.max_num_batched_tokens)
    without_context = replace(price, context_token_s=0.0)
    marginal = replace(without_context, prompt_token_s=cost.per_token_s)
    return {
        "length": answers,
        "work": _work(price, prompts, answers),
        "work, context free": _work(without_context, prompts, answers),
        "work, no share of the step for prompts": _work(marginal, prompts, answers),
        "work * sqrt(answer)": _work(price, prompts, answers) * np.sqrt(answers),
    }


def _work(price: TokenPrice, prompts: Values, answers: Values) -> Values:
    return np.array([price.work_s(*one) for one in zip(prompts, answers, strict=True)])


def times(traffic: Traffic, order: Order, cost: StepCost) -> Values:
    """Mean seconds per token and mean end-to-end seconds."""
    answers = simulate_run(Run(traffic=traffic, order=order, engine=ENGINE, cost=cost))
    return np.array([(answers.e2e_s / answers.output_tokens).mean(), answers.e2e_s.mean()])


def show(trace: Path) -> None:
    """Print how much better each order is than first come, first served."""
    traffic = burst(trace)
    prompts, answers = traffic.prompt_tokens.astype(np.float64), traffic.output_tokens.astype(np.float64)
    noisy = np.quantile(answers, noisy_quantiles(traffic.output_tokens, TAU_B, 0))
    for name, cost in COSTS.items():
        fcfs = times(traffic, Order(), cost)
        orders = {"prompt": prompts, **amounts(prompts, answers, cost)}
        orders |= {f"{kind}, tau-b {TAU_B}": one for kind, one in amounts(prompts, noisy, cost).items()}
        for kind, amount in orders.items():
            gain = fcfs / times(traffic, Order(quantiles=places(amount), patience_s=1e6), cost)
            sys.stdout.write(f"{trace.stem} | {name} | {kind} | {gain[0]:.3f} | {gain[1]:.3f}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    for one in REQUESTS:
        show(Path(sys.argv[1]) / f"{one}.parquet")
