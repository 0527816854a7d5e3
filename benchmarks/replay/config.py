"""Settings of a replay. The command line and MLproject read their defaults from here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.arrivals import ArrivalProcess, Arrivals, check_arrivals
from benchmarks.policies.served_places import OrderBy
from benchmarks.report.goodput import Objectives
from benchmarks.server_defaults import PATIENCE_S, RANKING_BACKLOG_MS
from registry.errors import InvalidInput
from traffic.length_log import LengthLogSource
from traffic.served_log import read_arrivals

Switch = Literal["on", "off"]
Api = Literal["auto", "completions", "chat"]


@dataclass(frozen=True, kw_only=True)
class ReplayConfig(LengthLogSource, Objectives):
    """What to replay, how often, and on which server. The test rows of the length log are replayed."""

    target_llm: str
    """Whose champion ranks."""
    llm: str | None = None
    """Model name or path that the server runs; the server's own default unless given."""
    vllm_args: str | None = None
    """vLLM's flags, as one string; the server's own default unless given."""
    url: str | None = None
    """Address of an OpenAI-compatible endpoint that is running, or POLICY=ADDRESS,... where each policy has its own;
    a server is started unless given. The environment variable OPENAI_API_KEY is its key, if it needs one."""
    trust_priority: Switch = "off"
    """Whether the endpoint at `url` lets a client's `priority` order its queue. If not, it is asked for nothing but the
    order that it keeps: policies=endpoint, or an endpoint a policy."""
    api: Api = "auto"
    """`completions` sends every prompt as the text that a ranker reads, `chat` as chat messages (a prompt that is text
    as one message of a user), `auto` as the log holds it. What the log says that a request asked for beside its text is
    sent along either way, but for limits and, where lengths are imposed, what binds an answer to a form."""
    impose_lengths: Switch = "on"
    """`on` gives every answer its recorded length, by `max_tokens` and `ignore_eos`. `off` lets the LLM end its own
    answers: where it is the one whose answers the log holds, or its endpoint at `url` knows no `ignore_eos`."""
    max_output_tokens: int = 1024
    """With impose_lengths=off: what every request allows its answer. It is the same for all, so it tells nothing."""
    policies: str = "fcfs,control,pars,oracle"
    """Comma-separated: fcfs, control, pars, oracle (true lengths), names of `rankers`, with `cost` oracle_work (true
    prompts and answers) and prompt_work (every answer taken for the median one), and what a user has for free:
    prompt_length (shortest prompt first, in characters), outlen_bucket (llm-d's rules on a request's parameters), and
    fitted on the length log's training prompts template_mean, lexical_boosting, tfidf_ridge. NAME@SECONDS has a
    patience of its own. Or `endpoint` alone: the order that it keeps."""
    cost: str | None = None
    """What a step of the engine costs, as the server's PARS_COST: ready-made coefficients by name, or a file that
    measure-engine wrote. The price of a token also depends on vLLM's flags, so give an endpoint's as `vllm_args`."""
    order_by: OrderBy = "work"
    """What pars, rankers and the control go by where `cost` is given: `work`, what a request costs the engine by its
    prompt and its predicted answer, or the `length` of the predicted answer alone. Without `cost` it is the length."""
    rankers: tuple[str, ...] = ()
    """More rankers, each a policy: NAME=URI, separated by commas (one trained on another LLM, or with another loss).
    Their places are sent along with the requests, so that only `pars` pays for ranking."""
    requests: int = 300
    """Requests of one replay."""
    arrivals: Arrivals = "burst"
    """`burst`: all at once; `poisson`: independent users; `gamma`: burstier than that; `recorded`: as in `trace`."""
    loads: tuple[float, ...] = ()
    """Arrival rates to be tried, as multiples of capacity, separated by commas; a trace without any keeps its own
    rate, and a burst has none."""
    capacity_per_s: float = 0.0
    """Requests per second at load 1; 0 measures what the server gets through in the middle of a burst, first
    come, first served."""
    gap_cv: float = 2.0
    """Standard deviation ÷ mean of the gaps between gamma arrivals; 1 is Poisson."""
    trace: Path | None = None
    """Recorded arrivals: parquet or JSON Lines with the column `arrival_s`."""
    repeats: int = 4
    """Replays of each policy, interleaved; even, since every second one sends the prompts in the opposite order."""
    warm_up_requests: int | None = None
    """Requests that are sent first and not counted; as many as one replay has unless given."""
    low_load_requests: int = 50
    """Requests sent one at a time, each one both ranked and not, cut at 64 tokens; 0 leaves this out."""
    control: str | None = None
    """A ranker trained on shuffled labels (`models:/...` or a folder); a small one is trained unless given. The server
    serves it and its mirror image as two more target LLMs."""
    control_prompts: int = 500
    """Training prompts of the control ranker."""
    cap_by_max_tokens: Switch = "off"
    """`on` plants a leak: the server caps predictions by `max_tokens`, by which the recorded lengths are imposed, and
    its rankers read it. The control then gains, and the run fails: the way to see that it would. Where none are imposed
    the server does both anyway, as by default: there is no truth in `max_tokens`."""
    ranking_backlog_ms: float = RANKING_BACKLOG_MS
    """The server's: how long a request may be held for its ranking while the engine is full anyway."""
    patience_s: float = PATIENCE_S
    """How much later a request may arrive and still overtake."""
    late_share: float = 0.01
    """Share of a policy's requests that the client may send late: more than 100 ms after they were due, and more than a
    tenth of their end-to-end time. With more the replay fails itself: that was not the planned traffic."""
    seed: int = 0
    """Draws the prompts, their order and the arrivals."""

    @property
    def limit_tokens(self) -> int | None:
        """What an answer may have that the LLM ends itself; None where the recorded length is imposed."""
        return None if self.impose_lengths == "on" else self.max_output_tokens

    @property
    def is_capped(self) -> Switch:
        """Whether the server that is started caps predictions by `max_tokens`."""
        return self.cap_by_max_tokens if self.impose_lengths == "on" else "on"

    @property
    def is_by_work(self) -> bool:
        """Whether requests are ordered by what they cost the engine."""
        return self.cost is not None and self.order_by == "work"

    @property
    def needs_capacity(self) -> bool:
        """Whether capacity must be measured before the loads are rates."""
        return bool(self.loads) and self.capacity_per_s == 0

    def arrival_process(self, rate_per_s: float = 0.0) -> ArrivalProcess:
        """What draws the send times at a rate.

        Raises:
            InvalidInput: the trace cannot be read, or the process needs a rate.
        """
        recorded_s = read_arrivals(self.trace) if self.trace and self.arrivals == "recorded" else None
        return ArrivalProcess(kind=self.arrivals, rate_per_s=rate_per_s, gap_cv=self.gap_cv, recorded_s=recorded_s)

    def __post_init__(self) -> None:
        """Refuse what no replay can be."""
        for name in ("requests", "repeats", "control_prompts", "max_output_tokens"):
            if getattr(self, name) < 1:
                raise InvalidInput(f"{name} must be at least 1, but got {getattr(self, name)}.")
        for name in ("low_load_requests", "warm_up_requests", "capacity_per_s", "patience_s"):
            if (getattr(self, name) or 0) < 0:
                raise InvalidInput(f"{name} must be at least 0, but got {getattr(self, name)}.")
        if self.repeats % 2:
            raise InvalidInput(f"repeats must be even (each order is also replayed reversed), but got {self.repeats}.")
        if not 0 <= self.late_share <= 1:
            raise InvalidInput(f"late_share must be between 0 and 1, but got {self.late_share}.")
        if self.url and self.cap_by_max_tokens == "on":
            raise InvalidInput(
                "an endpoint that runs already caps as its operator has set it, but got cap_by_max_tokens=on; leave it"
                " out, or leave url out."
            )
        self.check_objectives()
        check_arrivals(self.arrivals, self.loads, self.trace)
