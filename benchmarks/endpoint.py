"""What a replay asks of the endpoint besides answers: its model, which prompts fit, how many requests were ranked."""

from collections import defaultdict
from dataclasses import astuple, dataclass, field

import httpx
from prometheus_client.parser import text_string_to_metric_families
from tqdm import tqdm

from benchmarks.errors import ReplayError
from training.length_log import LabelledPrompts

TIMEOUT_S = 60
COUNTER = "pars_engine_requests_total"


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


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible server and the model that it serves."""

    url: str
    """Without `/v1`."""
    model: str
    max_model_tokens: int | None = None
    """Its context, prompt and answer together, where it says so."""
    api_key: str | None = field(default=None, repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}

    def count_tokens(self, client: httpx.Client, prompt: str) -> int | None:
        """Tokens of a prompt; None where the endpoint does not count them (only vLLM and SGLang do)."""
        answer = client.post("/tokenize", json={"model": self.model, "prompt": prompt})
        return int(answer.json()["count"]) if answer.is_success and "count" in answer.json() else None


def connect(url: str, api_key: str | None = None) -> Endpoint:
    """Ask an endpoint for its model.

    Raises:
        ReplayError: there is none, or it does not answer as an OpenAI-compatible one does.
    """
    try:
        answer = httpx.get(f"{url}/v1/models", timeout=TIMEOUT_S, headers=Endpoint(url, "", None, api_key).headers)
        first = answer.raise_for_status().json()["data"][0]
    except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
        raise ReplayError(f"an OpenAI-compatible endpoint must list its models, but {url} did not: {error}.") from error
    return Endpoint(url, str(first["id"]), first.get("max_model_len"), api_key)


def choose_that_fit(endpoint: Endpoint, test: LabelledPrompts, num_requests: int) -> LabelledPrompts:
    """The first `num_requests` test prompts whose prompt and answer fit the model's context.

    Where the endpoint does not count tokens, a prompt counts as many as it has bytes, which is never too few.

    Raises:
        ReplayError: too few do.
    """
    kept: list[int] = []
    with (
        httpx.Client(base_url=endpoint.url, headers=endpoint.headers, timeout=TIMEOUT_S) as client,
        tqdm(total=num_requests, desc="choose") as progress,
    ):
        for index, prompt in enumerate(test.prompts):
            if len(kept) == num_requests:
                break
            if _fits(endpoint, client, prompt, test.output_tokens[index]):
                kept.append(index)
                progress.update()
    if len(kept) < num_requests:
        raise ReplayError(
            f"{num_requests} test prompts must fit the served model's context, but only {len(kept)} of {len(test)} do;"
            " give a longer log, or ask for fewer requests."
        )
    return test.take(kept)


def _fits(endpoint: Endpoint, client: httpx.Client, prompt: str, output_tokens: float) -> bool:
    if endpoint.max_model_tokens is None:
        return True
    counted = endpoint.count_tokens(client, prompt)
    prompt_tokens = len(prompt.encode()) if counted is None else counted
    return prompt_tokens + output_tokens <= endpoint.max_model_tokens


def ranking_work(endpoint: Endpoint) -> RankingWork | None:
    """Read the server's counters; None where it is none of ours, or shows them to nobody."""
    answer = httpx.get(f"{endpoint.url}/metrics", timeout=TIMEOUT_S, headers=endpoint.headers)
    if not answer.is_success or COUNTER not in answer.text:
        return None
    seen: dict[str, float] = defaultdict(float)
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            if sample.labels.get("source", "ranked") == "ranked":
                seen[sample.name] += sample.value
    return RankingWork(
        ranked=seen[COUNTER],
        failed_open=seen["pars_ranking_fail_opens_total"],
        scored=seen["pars_ranking_seconds_count"],
        scoring_s=seen["pars_ranking_seconds_sum"],
        held_s=seen["pars_ranking_hold_seconds_sum"],
    )
