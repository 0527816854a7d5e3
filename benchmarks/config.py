"""Settings of a replay. The command line and MLproject read their defaults from here."""

from dataclasses import dataclass

from benchmarks.arrivals import ArrivalProcess, Arrivals
from training.config import LengthLogSource


@dataclass(frozen=True, kw_only=True)
class ReplayConfig(LengthLogSource):
    """What to replay, how often, and on which server. The test rows of the length log are replayed."""

    target_llm: str
    """Whose champion ranks."""
    llm: str | None = None
    """Model name or path that the server runs; the server's own default unless given."""
    vllm_args: str | None = None
    """vLLM's flags, as one string; the server's own default unless given."""
    policies: str = "fcfs,control,pars,oracle"
    """Comma-separated; `fcfs` is always among them."""
    requests: int = 300
    """Requests of one replay."""
    arrivals: Arrivals = "burst"
    """`burst`: all at once; `poisson`: independent users at `rate_per_s`."""
    rate_per_s: float = 0.0
    """Requests per second of Poisson arrivals."""
    repeats: int = 4
    """Replays of each policy, interleaved; even, since every second one sends the prompts in the opposite order."""
    low_load_requests: int = 100
    """Requests sent one at a time, each one both ranked and not; 0 leaves this out."""
    control: str | None = None
    """A ranker trained on shuffled labels (`models:/...` or a folder); a small one is trained unless given."""
    control_prompts: int = 500
    """Training prompts of the control ranker."""
    ranking_backlog_ms: float = 2000.0
    """The server's: how long a request may be held for its ranking while the engine is full anyway."""
    patience_s: float = 120.0
    """How much later a request may arrive and still overtake."""
    seed: int = 0
    """Draws the prompts, their order and the arrivals."""

    @property
    def arrival_process(self) -> ArrivalProcess:
        """What draws the send times."""
        return ArrivalProcess(kind=self.arrivals, rate_per_s=self.rate_per_s)

    def __post_init__(self) -> None:
        """Refuse what no replay can be."""
        for name in ("requests", "repeats", "control_prompts"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, but got {getattr(self, name)}.")
        if self.low_load_requests < 0:
            raise ValueError(f"low_load_requests must be at least 0, but got {self.low_load_requests}.")
        if self.repeats % 2:
            raise ValueError(f"repeats must be even (each order is also replayed reversed), but got {self.repeats}.")
