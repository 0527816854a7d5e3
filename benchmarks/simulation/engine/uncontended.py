"""Requests that do not contend: one at a time. Pure."""

import numpy as np

from benchmarks.simulation.engine.engine_settings import EngineSettings
from serving.work.step_cost import StepCost
from traffic.batch import Traffic


def one_at_a_time(traffic: Traffic, engine: EngineSettings, cost: StepCost) -> Traffic:
    """The same requests, each sent when the one before has been answered for certain."""
    tokens = zip(traffic.prompt_tokens.tolist(), traffic.output_tokens.tolist(), strict=True)
    taken_s = [_at_most_s(prompt, output, engine, cost) for prompt, output in tokens]
    return traffic.sent_at(np.cumsum([0.0, *taken_s[:-1]]))


def _at_most_s(prompt_tokens: int, output_tokens: int, engine: EngineSettings, cost: StepCost) -> float:
    """What a request takes where there is no other, if each of its steps were its dearest one."""
    steps = -(-prompt_tokens // engine.max_num_batched_tokens) + output_tokens
    dearest_s = cost.step_s(min(prompt_tokens, engine.max_num_batched_tokens), [prompt_tokens + output_tokens])
    before_s = cost.intake_s + cost.instant_s + cost.ranking_s + cost.handing_on_s + cost.transit_s
    return before_s + steps * dearest_s
