"""What became of the ranker, phase by phase, read from the journal alone."""

import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import mlflow
import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from loop.fresh.config import FreshSource
from loop.fresh.fresh_requests import FreshRequests, read_fresh
from registry.promotion import GATE_TAG
from registry.store import alias_version, model_name
from training.judging.ranking_metrics import kendall_tau_b

MOST_REQUESTS = 20_000
SINCE = "pars_drift_alarm_since_seconds"


@dataclass
class Account:
    """Notes when phases begin; what was answered in each the journal knows."""

    target_llm: str
    journal: Path
    alarms: dict[str, float] = field(default_factory=dict)
    """Since when each alarm stands on the server's page, in seconds since 1970."""
    took_over_s: float = 0.0
    """How long the server took from the promotion until it ranked by the new ranker."""
    _began_s: dict[str, float] = field(default_factory=dict)

    def begins(self, phase: str) -> None:
        """A phase begins, and the one before ends."""
        self._began_s[phase] = time.time()

    def lines(self) -> list[str]:
        """How good the ranker was, who noticed that it no longer was, and what retraining brought."""
        fresh = read_fresh(FreshSource(target_llm=self.target_llm, journal=self.journal, max_requests=MOST_REQUESTS))
        before, changed, after = self._phases(fresh)
        return [
            f"Ranked    {_tau_on(before)}; when the LLM had changed, {_tau_on(changed)}",
            f"Noticed   by the server: {self._alarmed(changed)}",
            f"Retrained {self._decision()}, served {self.took_over_s:.0f} s later: {_tau_on(after)}",
        ]

    def _phases(self, fresh: FreshRequests) -> list[FreshRequests]:
        """The requests of each phase that were ranked; of the first and the last the same ones, and new to training."""
        bounds = [*self._began_s.values(), np.inf]
        ranked = fresh.take(np.isfinite(fresh.predicted_tokens) & (fresh.arrival_s >= bounds[0]))
        parts = [
            ranked.take((ranked.arrival_s >= begin_s) & (ranked.arrival_s < end_s))
            for begin_s, end_s in pairwise(bounds)
        ]
        known = {*_texts(fresh.take(fresh.arrival_s < bounds[0])), *_texts(parts[1])}
        return [parts[0].take(_unknown(parts[0], known)), parts[1], parts[2].take(_unknown(parts[2], known))]

    def _alarmed(self, changed: FreshRequests) -> str:
        """How many answers to requests of the changed LLM had come when the first alarm was raised, at most."""
        if not self.alarms:
            return "no alarm"
        what, since_s = min(self.alarms.items(), key=lambda one: one[1])
        asked = int((changed.arrival_s <= since_s).sum())
        return f"alarm of {what}, when {asked:,} requests had come since ({', '.join(sorted(self.alarms))} by the end)"

    def _decision(self) -> str:
        version = alias_version(self.target_llm)
        tags = mlflow.MlflowClient().get_model_version(model_name(self.target_llm), str(version)).tags
        return f"version {version}, {tags.get(GATE_TAG, 'not judged')} by the gate"


def alarms_on(page: str) -> dict[str, float]:
    """Since when each alarm stands, by a server's page of metrics."""
    samples = (one for family in text_string_to_metric_families(page) for one in family.samples)
    return {one.labels["what"]: one.value for one in samples if one.name == SINCE and one.value}


def _texts(requests: FreshRequests) -> set[str]:
    return {view.text for view in requests.views or ()}


def _unknown(requests: FreshRequests, known: set[str]) -> list[bool]:
    return [view.text not in known for view in requests.views or ()]


def _tau(requests: FreshRequests) -> float:
    return kendall_tau_b(requests.predicted_tokens, requests.output_tokens, requests.is_censored)


def _tau_on(requests: FreshRequests) -> str:
    versions = ", ".join(sorted({one.rpartition("/")[2] for one in requests.ranker_version if one}))
    return f"tau-b {_tau(requests):.3f} on {len(requests):,} answers, by version {versions}"
