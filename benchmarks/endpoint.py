"""What a replay asks of the endpoint besides answers: its model, which prompts fit, how many requests were ranked."""

from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families
from tqdm import tqdm

from benchmarks.client import ReplayError
from training.length_log import LabelledPrompts

TIMEOUT_S = 60


@dataclass(frozen=True)
class RankingCounts:
    """Requests that the server ranked, and that went on with the median instead (failed open)."""

    ranked: float
    failed_open: float

    def __sub__(self, before: "RankingCounts") -> "RankingCounts":
        return RankingCounts(self.ranked - before.ranked, self.failed_open - before.failed_open)

    @property
    def fail_open_share(self) -> float:
        """Share of fail-opens among the requests that were to be ranked."""
        return self.failed_open / max(self.ranked + self.failed_open, 1)


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
    return LabelledPrompts(tuple(test.prompts[index] for index in kept), test.output_tokens[kept])


def ranking_counts(url: str) -> RankingCounts:
    """Read the server's counters."""
    page = httpx.get(f"{url}/metrics", timeout=TIMEOUT_S).raise_for_status().text
    ranked = failed_open = 0.0
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.name == "pars_engine_requests_total" and sample.labels["source"] == "ranked":
                ranked += sample.value
            elif sample.name == "pars_ranking_fail_opens_total":
                failed_open += sample.value
    return RankingCounts(ranked, failed_open)
