"""Detailed results of `vllm bench serve`: one object of columns a run, without prompts.

Read in vLLM 0.32 (`benchmarks/serve.py`): `input_lens, output_lens, ttfts, latencies, start_times, errors, ...`, saved
by `--save-result --save-detailed`; `--append-result` puts one run a line. Start times are of the client's own clock.
"""

from collections.abc import Iterator
from typing import Any

from traffic.adapters.adapter import FAILED, Adapter, one_by_one, request
from traffic.adapters.remarks import Misfit, Remarks
from traffic.cells.nested import unpacked
from traffic.rows.record import Values

SUMMARY = frozenset({"total_input_tokens", "request_throughput", "duration"})
"""What every result has, detailed or not."""
COLUMNS = ("input_lens", "output_lens", "ttfts", "latencies", "start_times", "errors")

NO_PROMPTS = "{count} requests of vllm bench serve have no prompts, which it does not save: no ranker learns from them."
NO_DETAILS = "{count} results of vllm bench serve hold no requests; save them with --save-result --save-detailed."


def _recognises(values: Values) -> bool:
    has_lengths = all(isinstance(unpacked(values.get(name)), list) for name in ("input_lens", "output_lens"))
    return has_lengths or values.keys() >= SUMMARY


def _requests(values: Values, remarks: Remarks) -> Iterator[dict[str, Any]]:
    columns = {name: held for name in COLUMNS if isinstance(held := unpacked(values.get(name)), list)}
    if "output_lens" not in columns:
        remarks.counts[NO_DETAILS] += 1
        return
    if len({len(column) for column in columns.values() if column}) > 1:
        raise Misfit  # nobody knows which belong together
    remarks.counts[NO_PROMPTS] += len(columns["output_lens"])
    for number in range(len(columns["output_lens"])):
        one = {name: column[number] for name, column in columns.items() if column}
        yield _request(one, values.get("model_id"))


def _request(one: Values, model: Any) -> dict[str, Any]:
    has_failed = bool(one.get("errors")) or not one["output_lens"]
    return request(
        {},
        model=model,
        prompt_tokens=one.get("input_lens"),
        output_tokens=one["output_lens"],
        finish_reason=FAILED if has_failed else None,
        arrival_s=one.get("start_times"),
        time_to_first_token_s=one.get("ttfts") or None,
        end_to_end_s=one.get("latencies") or None,
    )


VLLM_BENCH = Adapter("vllm bench serve", (*COLUMNS, "model_id", *sorted(SUMMARY)), _recognises, one_by_one(_requests))
