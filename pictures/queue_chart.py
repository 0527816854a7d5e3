"""The queue before and after: who waits until when, first come, first served and ranked. Pure."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from benchmarks.policies.titles import figure
from charts.chart import Panel, Span, SpanChart

TITLES: Mapping[str, str] = {"fcfs": "First come, first served", "pars": "PARS, short answers first"}
SHORT, LONG = 1, 3
"""How answers up to the median length look, and longer ones."""


def queue_chart(answers: pd.DataFrame, at_once: int) -> SpanChart:
    """The first replay of each policy, a row a request, in the order of their turns.

    `at_once` is how many answers the engine works on at the same time.
    """
    shown = answers[(answers.repeat == 0) & answers.policy.isin(TITLES)]
    limit = int(shown.output_tokens.median())
    runs = {policy: shown[shown.policy == policy] for policy in TITLES}
    requests = len(runs["fcfs"])
    return SpanChart(
        title=f"{requests} requests arrive at once; {at_once} are answered at a time",
        x_label="seconds",
        panels=tuple(Panel(_title(policy, run, limit), _spans(run, limit)) for policy, run in runs.items()),
        pale="waits",
        kinds={SHORT: f"gets a short answer (up to {limit} tokens)", LONG: "gets a long one"},
        says=f"Two panels of {requests} rows. "
        + ". ".join(_title(policy, run, limit) for policy, run in runs.items())
        + ". In the lower one the short answers begin first, and the long ones come last.",
        notes=("Each row is a request: pale while it waits, in colour while it is answered.",),
    )


def _title(policy: str, run: pd.DataFrame, limit: int) -> str:
    short = run[run.output_tokens <= limit]
    return (
        f"{TITLES[policy]}: a request waits {figure(run.ttft_s.mean())} s on average,"
        f" one with a short answer {figure(short.ttft_s.mean())} s"
    )


def _spans(run: pd.DataFrame, limit: int) -> tuple[Span, ...]:
    turns = run.assign(turn=run.sent_s + run.ttft_s).sort_values("turn", kind="stable")
    return tuple(_span(answer, limit) for answer in turns.to_dict("records"))


def _span(answer: dict[Hashable, Any], limit: int) -> Span:
    slot = SHORT if answer["output_tokens"] <= limit else LONG
    return Span(answer["sent_s"], answer["turn"], answer["sent_s"] + answer["e2e_s"], slot)
