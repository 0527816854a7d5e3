"""What the server's ranker has done, by the counters that it shows."""

from collections import defaultdict
from dataclasses import astuple, dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.endpoint.endpoint import TIMEOUT_S, Endpoint

REQUESTS = "pars_engine_requests_total"
FAIL_OPENS = "pars_ranking_fail_opens_total"


@dataclass(frozen=True)
class RankingWork:
    """What the server's ranker did since it started, or between two readings (their difference)."""

    ranked: float
    """Requests that took the place that a tier of the ranker gave them."""
    instant: float
    """Of these, the ones that took the instant tier's, since they were not held or the encoder was late."""
    failed_open: float
    """Requests that went on with the median instead, since neither tier placed them."""
    had_room: float
    """Of these, the ones that only the encoder could place, and that the engine had room for before it did."""
    scored: float
    """Prompts that the encoder scored; some of them too late to count."""
    scoring_s: float
    """Seconds in which they were scored, waiting not counted."""
    held_s: float
    """Seconds for which all requests together were held."""
    placed_at_once: float
    """Requests of which the instant tier has found a place in the event loop."""
    instant_s: float
    """Seconds of the event loop in which it did."""

    def __sub__(self, before: "RankingWork") -> "RankingWork":
        return RankingWork(*(now - then for now, then in zip(astuple(self), astuple(before), strict=True)))

    @property
    def requests(self) -> float:
        """Requests that were to be ranked."""
        return max(self.ranked + self.failed_open, 1)

    @property
    def fail_open_share(self) -> float:
        """Share of fail-opens among the requests that were to be ranked."""
        return self.failed_open / self.requests

    @property
    def instant_share(self) -> float:
        """Share of `instant` among the requests that were to be ranked."""
        return self.instant / self.requests

    @property
    def had_room_share(self) -> float:
        """Share of `had_room` among the requests that were to be ranked."""
        return self.had_room / self.requests

    @property
    def scoring_ms(self) -> float:
        """Milliseconds of the encoder for one prompt, on average."""
        return 1000 * self.scoring_s / max(self.scored, 1)

    @property
    def instant_ms(self) -> float:
        """Milliseconds of the event loop for one instant place, on average."""
        return 1000 * self.instant_s / max(self.placed_at_once, 1)

    @property
    def held_ms(self) -> float:
        """Milliseconds for which a request was held, on average of all, most of which may not have been held at all."""
        return 1000 * self.held_s / self.requests


def ranking_work(endpoint: Endpoint) -> RankingWork | None:
    """Read the server's counters; None where it is none of ours, or shows them to nobody."""
    answer = httpx.get(f"{endpoint.url}/metrics", timeout=TIMEOUT_S, headers=endpoint.headers)
    return parse_work(answer.text) if answer.is_success else None


def parse_work(page: str) -> RankingWork | None:
    """Read a page of metrics in Prometheus' text format; None where it has none of ours."""
    if REQUESTS not in page:
        return None
    seen: dict[str, float] = defaultdict(float)
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            for name in (sample.name, *(f"{sample.name} {value}" for value in sample.labels.values())):
                seen[name] += sample.value
    instant = seen[f"{REQUESTS} instant"]
    return RankingWork(
        ranked=instant + seen[f"{REQUESTS} encoder"],
        instant=instant,
        failed_open=seen[FAIL_OPENS],
        had_room=seen[f"{FAIL_OPENS} budget"],
        scored=seen["pars_ranking_seconds_count encoder"],
        scoring_s=seen["pars_ranking_seconds_sum encoder"],
        held_s=seen["pars_ranking_hold_seconds_sum"],
        placed_at_once=seen["pars_ranking_seconds_count instant"],
        instant_s=seen["pars_ranking_seconds_sum instant"],
    )
