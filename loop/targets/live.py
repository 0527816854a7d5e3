"""What was seen lately of a target LLM's requests: in a server's journal, or on its page of metrics."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import httpx
import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from loop.fresh.config import FreshSource
from loop.fresh.fresh_requests import FreshRequests, read_fresh
from loop.fresh.newest import DAY_S
from loop.targets.config import TargetsConfig
from loop.targets.target_line import Live
from registry import store
from registry.errors import InvalidInput
from registry.order.static_gain import STATIC_GAIN_S_PER_TOKEN, static_gains
from registry.watch import watch_state
from training.judging.ranking_metrics import kendall_tau_b

LEAST_ANSWERS = 20
"""With fewer a tau-b says nothing."""
RECENT = 100
"""Of the newest answers, whose correction is shown."""
PAGE_LIMIT_S = 10.0

LiveOf = Callable[[str, int | None], Live]
"""(target LLM, its champion) -> what was seen of it."""


def live_source(config: TargetsConfig) -> LiveOf:
    """Where live figures come from, by the settings.

    Raises:
        InvalidInput: the server's page cannot be had.
    """
    if config.url is not None:
        return _Page.had_from(config.url).live
    return (lambda target_llm, champion: _of_journal(config, target_llm, champion)) if config.journal else _nothing


def _nothing(target_llm: str, champion: int | None) -> Live:  # noqa: ARG001  # one `LiveOf`
    return Live()


def _of_journal(config: TargetsConfig, target_llm: str, champion: int | None) -> Live:
    """What the newest answers say; of predictions those of the champion alone count."""
    source = FreshSource(
        target_llm=target_llm,
        journal=config.journal,
        model=target_llm,  # else a journal that names a single one would be taken for that of all
        days=config.days,
        max_requests=config.max_requests,
    )
    try:
        fresh = read_fresh(source, needs_texts=False)
    except InvalidInput:  # it holds nothing of this target LLM
        return Live(answers=0)
    address = f"models:/{store.model_name(target_llm)}/{champion}"
    its = fresh.take([version == address for version in fresh.ranker_version])
    ranked = its.take(np.isfinite(its.predicted_tokens))
    corrections = ranked.correction[np.isfinite(ranked.correction)][-RECENT:]
    return replace(
        _order(ranked),
        answers=len(fresh),
        answers_a_day=_a_day(fresh),
        correction=float(np.median(corrections)) if len(corrections) else None,
    )


def _order(ranked: FreshRequests) -> Live:
    if len(ranked) < LEAST_ANSWERS:
        return Live()
    order = ranked.predicted_tokens, ranked.output_tokens, ranked.is_censored
    gain = static_gains(*order)[STATIC_GAIN_S_PER_TOKEN]
    return Live(kendall_tau_b=kendall_tau_b(*order), static_gain=gain)


def _a_day(fresh: FreshRequests) -> float | None:
    """Of answers whose arrivals are known, over the time that they span."""
    arrival_s = fresh.arrival_s[np.isfinite(fresh.arrival_s)]
    span_s = float(np.ptp(arrival_s)) if len(arrival_s) > 1 else 0.0
    return (len(arrival_s) - 1) / span_s * DAY_S if span_s else None


@dataclass(frozen=True)
class _Page:
    """The values of a page of metrics by name and target LLM, and the alarms."""

    values: Mapping[tuple[str, str], float]
    alarms: Mapping[str, list[str]]

    @classmethod
    def had_from(cls, url: str) -> "_Page":
        address = f"{url.rstrip('/')}/metrics"
        try:
            text = httpx.get(address, timeout=PAGE_LIMIT_S).raise_for_status().text
            samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise InvalidInput(f"url must be that of a running server, but {address} cannot be read: {error}") from None
        values = {(one.name, one.labels["target_llm"]): one.value for one in samples if {*one.labels} == {"target_llm"}}
        alarms: dict[str, list[str]] = {}
        for one in samples:
            if one.name == "pars_drift_alarm" and "target_llm" in one.labels:
                raised = [one.labels.get("what", "drift")] if one.value else []
                alarms.setdefault(one.labels["target_llm"], []).extend(raised)
        return cls(values, alarms)

    def live(self, target_llm: str, champion: int | None) -> Live:  # noqa: ARG002  # one `LiveOf`
        raised = self.alarms.get(target_llm)
        return Live(
            kendall_tau_b=self._value("pars_kendall_tau_b", target_llm),
            static_gain=self._value("pars_static_gain", target_llm),
            correction=self._value("pars_correction", target_llm),
            alarm=None if raised is None else watch_state(raised),
        )

    def _value(self, name: str, target_llm: str) -> float | None:
        value = self.values.get((name, target_llm))
        return value if value is not None and np.isfinite(value) else None
