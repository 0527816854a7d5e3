"""Replays recorded traffic against served endpoints under several policies and logs the comparison to MLflow."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from benchmarks.endpoint import client_limits, endpoint, low_load
from benchmarks.endpoint.counters.prefix_cache import prefix_cache
from benchmarks.endpoint.counters.ranking_work import ranking_work
from benchmarks.endpoint.endpoint import Endpoint
from benchmarks.endpoint.low_load import LowLoad
from benchmarks.failures import ReplayError
from benchmarks.policies.policy_list import Policy, parse_rankers
from benchmarks.policies.rivals import Rivals
from benchmarks.replay import replay_report
from benchmarks.replay.client_places import client_order, price_of
from benchmarks.replay.config import ReplayConfig
from benchmarks.replay.policy_endpoints import endpoints, parse_urls
from benchmarks.replay.replay_policies import SERVERS_OWN, parse_policies
from benchmarks.replay.requests_to_send import requests_to_send
from benchmarks.replay.sweep import Sweep
from benchmarks.report.leak import leak
from registry.artefact.card import Grouping, RankerCard
from registry.errors import InvalidInput
from registry.ranker import Ranker
from registry.request_features import CAP_FEATURE, RequestView
from registry.store import load_ranker, model_name, ranker_folder
from registry.tracking import log_parameters
from serving.champion.start import find_champion
from traffic.grouping import unseen_part
from traffic.labelled_prompts import LabelledPrompts
from traffic.length_log import LengthLog, read_length_log
from traffic.read import rows_with_params


def run_replay(config: ReplayConfig, server_log: Path) -> str:
    """Replay, log everything to the active MLflow run, and return the report as text.

    Raises:
        NoRanker: the target LLM has no ranker to replay.
        RegistryError, InvalidRanker: one of `rankers` cannot be used.
        ReplayError: the server or a request failed, the client was too late, or the control gained something.
        InvalidInput: the settings cannot be replayed.
    """
    policies = parse_policies(config)
    names = [policy.name for policy in policies]
    if config.url:
        parse_urls(config.url, names, config.trust_priority == "on")
    else:
        _check_pairs(config, find_champion(config.target_llm))
    config.arrival_process(1.0).send_times_s(config.requests, config.seed)  # a trace that is too short ends it here
    price_of(config)  # so does a step cost that is none
    log = read_length_log(config)
    recorded = requests_to_send(config, log.part("test", seed=config.seed))
    log_parameters(config)
    with ExitStack() as stack:
        rankers = {name: load_ranker(uri) for name, uri in parse_rankers(config.rankers).items()}
        tested = unseen_part(config, log, _grouped_by(config, rankers), seed=config.seed)
        served = stack.enter_context(endpoints(config, names, server_log, _unseen_caps(tested.prompts)))
        prompts = endpoint.choose_that_fit(served.any, tested.prompts, config.requests, recorded, config.limit_tokens)
        rivals = _rivals(config, policies, log, prompts.prompts)
        order = client_order(config, policies, rankers, prompts, served.any, recorded)
        order = order.with_places(rivals.quantiles_of(prompts.prompts))
        measured = _measure(Sweep(config, policies, served, prompts, order, recorded))
        replayed = replace(measured, notes=(*rivals.notes, *tested.notes))
    text = replay_report.log(replayed)
    reasons = [client_limits.late(replayed.answers, config.late_share), leak(replayed.answers, replayed.baseline)]
    if any(reasons):
        raise ReplayError("\n".join([text, *filter(None, reasons)]))
    return text


def _check_pairs(config: ReplayConfig, version: int) -> None:
    """A server goes by length in spite of a cost if its champion knows no prompts beside their answers."""
    uri = f"models:/{model_name(config.target_llm)}/{version}"
    if config.is_by_work and RankerCard.read(ranker_folder(uri)).joint is None:
        raise InvalidInput(
            f"an order by work needs a ranker that knows which prompts come with which answers, but {uri} does not, as"
            " none of 0.1.0 does; train it anew, or give order_by=length."
        )


def _grouped_by(config: ReplayConfig, rankers: Mapping[str, Ranker]) -> dict[str, tuple[Grouping, ...]]:
    """How the data of each ranker that is replayed was grouped; of an endpoint that runs already nobody knows."""
    names = parse_rankers(config.rankers)
    grouped_by = {name: ranker.card.grouped_by for name, ranker in rankers.items() if name in names}
    if config.url:
        return grouped_by
    uri = f"models:/{model_name(config.target_llm)}/{find_champion(config.target_llm)}"
    return grouped_by | {"pars": RankerCard.read(ranker_folder(uri)).grouped_by}


def _rivals(config: ReplayConfig, policies: Sequence[Policy], log: LengthLog, prompts: Sequence[str]) -> Rivals:
    rows = rows_with_params(config.lengths, config, config.model)
    return Rivals.of({one.kind for one in policies}, prompts, log.part("train", seed=config.seed), rows, config.seed)


def _unseen_caps(prompts: LabelledPrompts) -> list[RequestView]:
    return [view.without(CAP_FEATURE) for view in prompts.views]


def _measure(sweep: Sweep) -> replay_report.Replayed:
    sweep.warm_up()
    is_ranked = any(policy.kind in SERVERS_OWN for policy in sweep.policies)
    ranking = sweep.endpoints.of.get("pars", sweep.endpoints.any) if is_ranked else None
    capacity_per_s = sweep.capacity_per_s() if sweep.config.needs_capacity else sweep.config.capacity_per_s
    before = ranking_work(ranking) if ranking else None
    prefixes_before = prefix_cache(sweep.endpoints.any)
    answers = sweep.run(capacity_per_s)
    after = ranking_work(ranking) if ranking else None
    prefixes_after = prefix_cache(sweep.endpoints.any)
    work = after - before if after and before else None
    quiet = _quiet(sweep, ranking) if ranking else None
    prefixes = prefixes_after - prefixes_before if prefixes_after and prefixes_before else None
    num_chats = sum(one.chat is not None for one in sweep.plan(0))
    return replay_report.Replayed(
        sweep.config, sweep.endpoints, answers, capacity_per_s, work, quiet, prefixes=prefixes, num_chats=num_chats
    )


def _quiet(sweep: Sweep, ranking: Endpoint) -> LowLoad | None:
    """Ranked and not ranked can be told apart only where the client's priority counts."""
    one_by_one = sweep.plan(0)[: sweep.config.low_load_requests]
    return low_load.measure(ranking, one_by_one) if one_by_one and sweep.endpoints.sends_priority else None
