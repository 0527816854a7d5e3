"""Settings of a simulation. The command line and MLproject read their defaults from here."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from benchmarks.arrivals import Arrivals, check_arrivals
from benchmarks.policies.served_places import OrderBy
from benchmarks.report.goodput import Objectives
from benchmarks.server_defaults import PATIENCE_S, RANKING_BACKLOG_MS
from benchmarks.simulation.engine.engine_settings import EngineSettings, Switch, engine_of
from registry.errors import InvalidInput
from serving.work.price import TokenPrice
from serving.work.step_cost import StepCost
from traffic.rows.rules import RowRules

Part = Literal["test", "all"]
INSTANT_SHARE = 0.96
"""Of the encoder's tau-b that the instant tier distilled from it keeps: 0.659 of 0.686 on Alpaca's test prompts."""


@dataclass(frozen=True, kw_only=True)
class SimulationConfig(RowRules, EngineSettings, Objectives):
    """What traffic, in which orders, on which engine. Give `lengths`, or `trace`, or both."""

    lengths: Path | None = None
    """Length log: prompts and the lengths of their answers, as for a training."""
    trace: Path | None = None
    """Recorded traffic: a file or a folder of files with `arrival_s` and, unless `lengths` is given, the length of each
    answer and `prompt_tokens` (or the prompt)."""
    model: str | None = None
    """Only the rows of the length log whose column `model` says this."""
    group_column: str | None = None
    """Column of the length log by which it was split for the training."""
    part: Part = "test"
    """Which prompts of the length log: those that no ranker was trained on, or `all`."""
    policies: str = "fcfs,control,noise,oracle,oracle_work"
    """Comma-separated: fcfs, pars, noise, control, oracle (true lengths), oracle_work (true prompts and answers), names
    of `rankers`, prompt_work (every answer taken for the median one), instant and encoder (one tier of pars alone, or
    of noise without a ranker), beforehand (the encoder's places, found in no time), and what a user has for free:
    prompt_length (shortest prompt first), outlen_bucket (llm-d's rules on a request's parameters), and fitted on the
    length log's training prompts template_mean, lexical_boosting, tfidf_ridge. NAME@SECONDS has a patience of its
    own."""
    order_by: OrderBy = "work"
    """What rankers, noise and the control go by: `work`, what a request costs the engine by its prompt and its
    predicted answer, or the `length` of the predicted answer alone."""
    ranker: str | None = None
    """Whose order `pars` is: `models:/NAME@ALIAS`, `models:/NAME/VERSION` or a folder."""
    rankers: tuple[str, ...] = ()
    """More rankers, each a policy: NAME=URI, separated by commas (one trained on another LLM, or with another loss)."""
    control: str | None = None
    """A ranker trained on shuffled labels; lengths dealt out at random unless given."""
    cap_by_max_tokens: Switch = "off"
    """`on` plants a leak: predictions are capped by the true lengths, as a server caps them where `max_tokens` imposes
    lengths. The control then gains, and the run fails: the way to see that it would."""
    tau: float = 0.69
    """Kendall tau-b of the policy `noise`: the true lengths with as much noise as leaves that."""
    instant_tau: float | None = None
    """The same of its instant tier, at most `tau`; 0.96 of it unless given, what a distilled one kept on Alpaca."""
    cost: str = "cpu-2-cores-llama-48"
    """What a step costs: coefficients by name (cpu-2-cores-llama-48), or a file that measure-engine wrote;
    NAME_OR_FILE,COEFFICIENT=SECONDS,... assumes other values of some."""
    ranking_ms: float | None = None
    """How long a prompt takes to be ranked by the encoder, and the encoder is busy with it; as measured with the
    coefficients unless given. That of the instant tier is the coefficient `instant_s`."""
    ranking_backlog_ms: float = RANKING_BACKLOG_MS
    """The server's: how long a request may be held for the encoder; then the place of the instant tier stands."""
    requests: int = 2000
    """Requests of a run."""
    arrivals: Arrivals = "burst"
    """`burst`: all at once; `poisson`: independent users; `gamma`: burstier than that; `recorded`: as in `trace`."""
    loads: tuple[float, ...] = ()
    """Arrival rates to be tried, as multiples of capacity, separated by commas."""
    capacity_per_s: float = 0.0
    """Requests per second at load 1; 0 simulates what the engine gets through while more requests always wait,
    first come, first served."""
    gap_cv: float = 2.0
    """Standard deviation ÷ mean of the gaps between gamma arrivals; 1 is Poisson."""
    repeats: int = 2
    """Runs of each policy; 1, or even, since every second one sends the requests in the opposite order. Recorded
    traffic with its own lengths is simulated once."""
    low_load_requests: int = 50
    """Requests that are also sent one at a time, so that nothing contends; 0 leaves this out."""
    patience_s: float = PATIENCE_S
    """How much later a request may arrive and still overtake."""
    seed: int = 0
    """Draws the requests, their order, the arrivals and the noise."""

    def __post_init__(self) -> None:
        """Refuse what cannot be simulated."""
        super().__post_init__()
        if self.lengths is None and self.trace is None:
            raise InvalidInput("a simulation needs traffic, but got none; give lengths=FILE or trace=FILE.")
        if self.requests < 2:
            raise InvalidInput(f"requests must be at least 2, but got {self.requests}.")
        if self.repeats != 1 and (self.repeats < 1 or self.repeats % 2):
            raise InvalidInput(f"repeats must be 1 or even (each order is also run reversed), but got {self.repeats}.")
        if not 0 <= self.tau <= 1:
            raise InvalidInput(f"tau must be in [0, 1], but got {self.tau}.")
        if not 0 <= self.noise_instant_tau <= self.tau:
            raise InvalidInput(
                f"instant_tau must be in [0, tau], since an instant tier is distilled from its encoder, but got"
                f" {self.noise_instant_tau} with tau {self.tau}."
            )
        for name in ("patience_s", "ranking_backlog_ms", "capacity_per_s", "low_load_requests"):
            if not getattr(self, name) >= 0:
                raise InvalidInput(f"{name} must be at least 0, but got {getattr(self, name)}.")
        self.check_objectives()
        check_arrivals(self.arrivals, self.loads, self.trace)

    @property
    def keeps_rows_together(self) -> bool:
        """Whether requests come in the order and with the lengths of the trace."""
        return self.arrivals == "recorded" and self.lengths is None

    @property
    def engine(self) -> EngineSettings:
        """The engine alone."""
        return engine_of(self)

    @property
    def noise_instant_tau(self) -> float:
        """Of the instant tier of `noise`."""
        return INSTANT_SHARE * self.tau if self.instant_tau is None else self.instant_tau

    @property
    def token_price(self) -> TokenPrice:
        """What tokens cost the engine that is simulated."""
        return TokenPrice.of(
            self.step_cost, max_num_seqs=self.max_num_seqs, max_num_batched_tokens=self.max_num_batched_tokens
        )

    @property
    def step_cost(self) -> StepCost:
        """The coefficients, with the time of a ranking as given.

        Raises:
            InvalidInput: no such coefficients.
        """
        cost = StepCost.read(self.cost)
        if self.ranking_ms is None:
            return cost
        return replace(cost, ranking_s=self.ranking_ms / 1000, scoring_s=self.ranking_ms / 1000)
