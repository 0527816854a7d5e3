"""What a replay leaves in MLflow and on the terminal."""

from dataclasses import asdict, dataclass
from functools import cached_property

import mlflow
import pandas as pd

from benchmarks.capacity import STEADILY
from benchmarks.endpoint import client_limits
from benchmarks.endpoint.counters.prefix_cache import PrefixCache
from benchmarks.endpoint.counters.ranking_work import RankingWork
from benchmarks.endpoint.low_load import LowLoad
from benchmarks.policies.policy_list import kind_of, parse_rankers
from benchmarks.policies.titles import load_title
from benchmarks.replay import server_notes
from benchmarks.replay.client_places import price_of
from benchmarks.replay.config import ReplayConfig
from benchmarks.replay.policy_endpoints import PolicyEndpoints
from benchmarks.replay.replay_policies import SERVERS_OWN
from benchmarks.report import summary
from benchmarks.report.comparison import at_load, by_load, highest_load
from benchmarks.report.leak import Baseline, baseline_of, doubts
from benchmarks.report.notes import UNLESS_NAMED, oracle_patience, ordered_by
from benchmarks.report.page.evidence import Evidence
from benchmarks.report.page.log import log_page
from registry.tracking import NOTE_TAG

FAIL_OPEN_LIMIT = 0.01
WORK_METRICS = ("fail_open_share", "instant_share", "had_room_share", "scoring_ms", "held_ms")
QUIET_METRICS = ("ranking_delay_ms", "ranked_ttft_ms", "unranked_ttft_ms")
UNRATED = {"burst": "burst", "recorded": "as recorded"}


@dataclass(frozen=True)
class Replayed:
    """All that was measured."""

    config: ReplayConfig
    endpoints: PolicyEndpoints
    answers: pd.DataFrame
    capacity_per_s: float
    """0 where no load was a multiple of it."""
    work: RankingWork | None
    """None where the endpoint does not tell, or ranked nothing."""
    quiet: LowLoad | None
    """What ranking costs one request at a time; None where that cannot be told."""
    notes: tuple[str, ...] = ()
    """What must be known of the orders: sentences."""
    prefixes: PrefixCache | None = None
    """What the replays found in the prefix cache; None where the endpoint does not tell."""
    num_chats: int = 0
    """How many of the requests of a replay were sent as chat messages."""

    @cached_property
    def evidence(self) -> Evidence:
        """What the page shows."""
        return Evidence(
            title=f"Replay of {self.config.lengths.name}, {self.config.target_llm}",
            answers=self.all_answers,
            provenance=tuple(_provenance(self)),
            settings=asdict(self.config),
            overhead=(*_overhead(self), *doubts(self.answers, self.baseline)),
            load=highest_load(self.answers),
            objectives=self.config,
            capacity_per_s=self.capacity_per_s,
            unrated=UNRATED.get(self.config.arrivals, "burst"),
        )

    @property
    def baseline(self) -> Baseline:
        """What the control is held against."""
        return baseline_of("work" if self.config.is_by_work else "length")

    @property
    def all_answers(self) -> pd.DataFrame:
        """Those of the replays, and of the requests that were sent one at a time."""
        return pd.concat([self.answers, *([self.quiet.answers] if self.quiet else [])], ignore_index=True)

    def text(self) -> str:
        """The table of each load, and what a reader must know with them."""
        lines = []
        for load, one in by_load(self.all_answers):
            lines += [load_title(load, self.evidence.unrated), summary.as_text(summary.summarise(one)), ""]
        return "\n".join([*lines, *self.evidence.overhead, *self.evidence.provenance])


def log(replayed: Replayed) -> str:
    """Log the page, its charts and data, and metrics to the active run; return the report as text, with its files."""
    shown = at_load(replayed.answers, replayed.evidence.load)
    table = summary.summarise(shown)
    where = log_page(replayed.evidence)
    mlflow.log_metrics(_metrics(replayed))
    mlflow.log_table(table.reset_index(), "table.json")
    mlflow.log_text(replayed.text(), "report.txt")
    mlflow.set_tag(NOTE_TAG, f"{where.splitlines()[0]}\n```\n{replayed.text()}\n```")
    return f"{replayed.text()}\n\n{where}"


def _provenance(replayed: Replayed) -> list[str]:
    config, endpoints = replayed.config, replayed.endpoints
    return [
        f"Run, nothing simulated: {config.requests} prompts of the test part of {config.lengths.name}, each sent in"
        f" {config.repeats} replays of each policy, in interleaved order, every second one in the opposite order of"
        f" prompts, after a warm-up that is not counted. Every request was answered by"
        f" {server_notes.served_by(endpoints)}.",
        _arrivals(replayed),
        _sent_as(replayed),
        server_notes.lengths(endpoints, replayed.answers, config.limit_tokens, config.cap_by_max_tokens == "on"),
        *server_notes.rankers(endpoints, set(map(kind_of, replayed.answers.policy))),
        server_notes.caches(endpoints, replayed.prefixes),
        ordered_by("work" if config.is_by_work else "length", price_of(config)),
        *_sent_along(replayed),
        *replayed.notes,
        *_patience(replayed),
        client_limits.describe(replayed.answers),
    ]


def _arrivals(replayed: Replayed) -> str:
    config, capacity_per_s = replayed.config, replayed.capacity_per_s
    if config.arrivals == "burst":
        return "All requests of a replay arrived at once."
    kind = {
        "poisson": "Requests arrived independently of each other (Poisson)",
        "gamma": f"Gaps between arrivals were gamma distributed (standard deviation ÷ mean {config.gap_cv:g})",
        "recorded": f"Requests arrived as the trace {config.trace and config.trace.name} recorded them",
    }[config.arrivals]
    if not config.loads:
        return f"{kind}, at the rate of the trace."
    how = f"what the server got through {STEADILY}" if config.needs_capacity else "as given"
    return f"{kind}. Capacity is {capacity_per_s:.3g} requests per second, {how}."


def _sent_as(replayed: Replayed) -> str:
    chats, requests = replayed.num_chats, replayed.config.requests
    if chats in (0, requests):
        return f"All were sent as {'chat messages' if chats else 'completions'} and streamed."
    return (
        f"Of the {requests} prompts {chats} were sent as chat messages, the others as completions; all were streamed."
    )


def _sent_along(replayed: Replayed) -> list[str]:
    policies, rankers = list(replayed.answers.policy.unique()), parse_rankers(replayed.config.rankers)
    lines = []
    if ranked := ", ".join(name for name in policies if kind_of(name) in rankers):
        lines.append(f"The places of {ranked} were sent along, so finding them cost no time.")
    if "prompt_length" in map(kind_of, policies):
        lines.append("Prompt lengths are counted in characters.")
    return lines


def _patience(replayed: Replayed) -> list[str]:
    unseen = "" if replayed.endpoints.is_ours else " (that of an endpoint's own order cannot be seen from here)"
    return oracle_patience(replayed.answers, replayed.config.patience_s, f"{UNLESS_NAMED}{unseen}")


def _overhead(replayed: Replayed) -> list[str]:
    lines = []
    if work := replayed.work:
        share = work.fail_open_share
        lines.append(
            f"Ranked {work.ranked:.0f} requests{_of_whom(replayed)}, {work.instant_share:.1%} by the instant tier;"
            f" {share:.1%} failed open (went on with the median length)"
            + (": MORE THAN 1 %, so this table understates what ranking brings." if share > FAIL_OPEN_LIMIT else ".")
        )
        lines.append(
            f"The encoder took {work.scoring_ms:.1f} ms a prompt beside the engine; a request was held for it for"
            f" {work.held_ms:.0f} ms on average."
        )
    if quiet := replayed.quiet:
        lines.append(
            f"Low load (one request at a time, {quiet.requests} pairs): median time to first token"
            f" {quiet.ranked_ttft_ms:.1f} ms ranked, {quiet.unranked_ttft_ms:.1f} ms not ranked,"
            f" ranking adds {quiet.ranking_delay_ms:.1f} ms."
        )
    if lines:
        return lines
    if any(kind_of(name) in SERVERS_OWN for name in replayed.answers.policy.unique()):
        return ["The endpoint does not tell what ranking costs; its answers contain it."]
    return ["The server ranked nothing here, so this says nothing of what ranking costs."]


def _of_whom(replayed: Replayed) -> str:
    return " (the control's too)" if "control" in set(replayed.answers.policy) else ""


def _metrics(replayed: Replayed) -> dict[str, float]:
    metrics = {client_limits.WORST_SHARE: client_limits.worst_share(replayed.answers)[1]}
    if replayed.capacity_per_s:
        metrics["capacity_per_s"] = replayed.capacity_per_s
    if replayed.work:
        metrics |= {name: getattr(replayed.work, name) for name in WORK_METRICS}
    if replayed.quiet:
        metrics |= {f"low_load.{name}": getattr(replayed.quiet, name) for name in QUIET_METRICS}
    return metrics
