"""What a replay asks of the endpoint besides answers: its model, which prompts fit, how many requests were ranked."""

from collections import defaultdict
from dataclasses import astuple, dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families
from tqdm import tqdm

from benchmarks.client import ReplayError
from training.length_log import LabelledPrompts

TIMEOUT_S = 60


@dataclass(frozen=True)
class RankingWork:
    """What the server's ranker did since it started, or between two readings (their difference)."""

    ranked: float
    """Requests that took the place that the ranker gave them."""
    failed_open: float
    """Requests that went on with the median instead."""
    scored: float
    """Prompts scored; more than `ranked` by those that came too late."""
    scoring_s: float
    """Seconds in which they were scored, waiting not counted."""
    held_s: float
    """Seconds for which all requests together were held."""

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
    def scoring_ms(self) -> float:
        """Milliseconds to score one prompt, on average."""
        return 1000 * self.scoring_s / max(self.scored, 1)

    @property
    def held_ms(self) -> float:
        """Milliseconds for which a request was held, on average."""
        return 1000 * self.held_s / self.requests


def served_model(url: str) -> str:
    """Name of the model behind the endpoint."""
    answer = httpx.get(f"{url}/v1/models", timeout=TIMEOUT_S).raise_for_status().json()
    return str(answer["data"][0]["id"])


def choose_that_fit(url: str, model: str, test: LabelledPrompts, num_requests: int) -> LabelledPrompts:
    """The first `num_requests` test prompts whose prompt and answer fit the model's context.

    Raises:
        ReplayError: too few do.
    """
    kept: list[int] = []
    with httpx.Client(base_url=url, timeout=TIMEOUT_S) as client, tqdm(total=num_requests, desc="choose") as progress:
        for index, prompt in enumerate(test.prompts):
            if len(kept) == num_requests:
                break
            answer = client.post("/tokenize", json={"model": model, "prompt": prompt}).raise_for_status().json()
            if answer["count"] + test.output_tokens[index] <= answer["max_model_len"]:
                kept.append(index)
                progress.update()
    if len(kept) < num_requests:
        raise ReplayError(
            f"{num_requests} test prompts must fit the served model's context, but only {len(kept)} of {len(test)} do;"
            " give a longer log, or ask for fewer requests."
        )
    return test.take(kept)


def ranking_work(url: str) -> RankingWork:
    """Read the server's counters."""
    page = httpx.get(f"{url}/metrics", timeout=TIMEOUT_S).raise_for_status().text
    seen: dict[str, float] = defaultdict(float)
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.labels.get("source", "ranked") == "ranked":
                seen[sample.name] += sample.value
    return RankingWork(
        ranked=seen["pars_engine_requests_total"],
        failed_open=seen["pars_ranking_fail_opens_total"],
        scored=seen["pars_ranking_seconds_count"],
        scoring_s=seen["pars_ranking_seconds_sum"],
        held_s=seen["pars_ranking_hold_seconds_sum"],
    )
