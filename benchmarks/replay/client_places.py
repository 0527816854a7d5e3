"""The places that a client brings along, because the server does not know them."""

import shlex
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.endpoint.endpoint import Endpoint, prompt_tokens_of
from benchmarks.endpoint.plan import PlannedRequest
from benchmarks.endpoint.priorities import ClientOrder
from benchmarks.endpoint.request_body import body_of
from benchmarks.policies.places import Values
from benchmarks.policies.policy_list import DEALT_WORK, MIRROR_OF, Policy
from benchmarks.policies.ranked import ranked
from benchmarks.policies.served_places import ServedPlaces, dealt_work_places
from benchmarks.policies.work import prompt_work_places, work_places
from benchmarks.replay.config import ReplayConfig
from benchmarks.replay.requests_to_send import as_recorded
from registry.ranker import Ranker
from registry.request_features import CAP_FEATURE, RequestView, view_of
from serving.config import DEMO_VLLM_ARGS
from serving.work.price import TokenPrice
from serving.work.step_cost import StepCost
from traffic.labelled_prompts import LabelledPrompts
from traffic.recorded import Recorded

VLLM_DEFAULTS = {"max_num_seqs": 256, "max_num_batched_tokens": 8192}
"""What the price of a token depends on, where vLLM's flags do not say it."""


def price_of(config: ReplayConfig) -> TokenPrice | None:
    """What tokens cost the engine with the flags that it is given; None where no step cost is known.

    Raises:
        InvalidInput: no such step cost.
    """
    if config.cost is None:
        return None
    flags = _flags(config.vllm_args or (DEMO_VLLM_ARGS if config.llm is None and config.url is None else ""))
    return TokenPrice.of(StepCost.read(config.cost), **flags)


def client_order(
    config: ReplayConfig,
    policies: Sequence[Policy],
    rankers: Mapping[str, Ranker],
    prompts: LabelledPrompts,
    endpoint: Endpoint,
    recorded: Mapping[RequestView, Recorded],
) -> ClientOrder:
    """The places of the rankers among the policies, and of those that know what a request costs."""
    price = price_of(config)
    counted = np.zeros(len(prompts), dtype=np.int64)
    if price is not None:
        counted = prompt_tokens_of(endpoint, prompts.views, recorded)
    served = ServedPlaces(prompt_tokens=counted, price=price if config.is_by_work else None)
    views = views_sent(config, endpoint, prompts, recorded)
    found = {name: ranked(ranker, views, name).places(served) for name, ranker in rankers.items()}
    if price is not None:
        found |= _by_true_work(price, {one.kind for one in policies}, counted, prompts.output_tokens)
        dealt = dealt_work_places(price, counted, prompts.output_tokens.astype(np.int64), config.seed)
        found |= dict(zip((DEALT_WORK, MIRROR_OF[DEALT_WORK]), dealt, strict=True))
    return ClientOrder(found)


def views_sent(
    config: ReplayConfig, endpoint: Endpoint, prompts: LabelledPrompts, recorded: Mapping[RequestView, Recorded]
) -> list[RequestView]:
    """What the server's own ranker reads of each request as it is sent, its limit of tokens only where that caps."""
    lengths = prompts.output_tokens.astype(int).tolist()
    plan = [
        PlannedRequest(text, length, 0.0, number)
        for number, (text, length) in enumerate(zip(prompts.prompts, lengths, strict=True))
    ]
    sent = [as_recorded(one, prompts, recorded, config.limit_tokens) for one in plan]
    views = [view_of(one.prompt, body_of(endpoint, one, None, "")) for one in sent]
    return views if config.is_capped == "on" else [view.without(CAP_FEATURE) for view in views]


def _by_true_work(
    price: TokenPrice, kinds: set[str], prompt_tokens: np.ndarray, output_tokens: np.ndarray
) -> dict[str, Values]:
    makers = {"prompt_work": prompt_work_places, "oracle_work": work_places}
    lengths = output_tokens.astype(np.int64)
    return {kind: make(price, prompt_tokens, lengths) for kind, make in makers.items() if kind in kinds}


def _flags(vllm_args: str) -> dict[str, int]:
    """What of vLLM's flags the price of a token depends on."""
    parser = ArgumentParser(add_help=False, allow_abbrev=False)
    for name, default in VLLM_DEFAULTS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", f"--{name}", type=int, default=default, dest=name)
    return dict(vars(parser.parse_known_args(shlex.split(vllm_args))[0]))
