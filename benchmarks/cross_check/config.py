"""Settings of the cross-check. The command line reads its defaults from here."""

from dataclasses import dataclass
from typing import Literal

from benchmarks.replay.config import ReplayConfig
from registry.errors import InvalidInput
from serving.config import DEMO_LLM
from traffic.length_log import LengthLogSource


@dataclass(frozen=True, kw_only=True)
class CrossCheckConfig(LengthLogSource):
    """What both clients send, and to which server. The test rows of the length log are sent."""

    target_llm: str
    """Whose champion the server has; nothing is ranked, since both clients ask for first come, first served."""
    llm: str | None = None
    """Model name or path that the server runs; the server's own default unless given."""
    llm_tokenizer: str | None = None
    """Folder or name of the tokenizer that vLLM's client counts prompts with; that of `llm` unless given."""
    vllm_args: str | None = None
    """vLLM's flags, as one string; the server's own default unless given."""
    url: str | None = None
    """Address of a vLLM that is running and lets a client's `priority` order its queue; a server is started unless
    given. The environment variable OPENAI_API_KEY is its key, if it needs one."""
    api: Literal["completions", "chat"] = "completions"
    """What both send: the prompt as it is, or as one message of a user."""
    requests: int = 300
    """Requests of one run."""
    rate_per_s: float = 0.0
    """Requests per second, as vLLM's client draws their arrivals (Poisson); 0 sends all at once."""
    pairs: int = 4
    """Runs of each client, one of each in turn; the order alternates."""
    seed: int = 0
    """Draws the prompts, their order and the arrivals."""

    def __post_init__(self) -> None:
        """Refuse what compares nothing."""
        for name in ("requests", "pairs"):
            if getattr(self, name) < 1:
                raise InvalidInput(f"{name} must be at least 1, but got {getattr(self, name)}.")
        if self.rate_per_s < 0:
            raise InvalidInput(f"rate_per_s must be at least 0, but got {self.rate_per_s}.")
        if self.llm_tokenizer is None:
            object.__setattr__(self, "llm_tokenizer", self.llm or str(DEMO_LLM))

    @property
    def replayed(self) -> ReplayConfig:
        """The server that a replay would start."""
        return ReplayConfig(
            lengths=self.lengths,
            target_llm=self.target_llm,
            llm=self.llm,
            vllm_args=self.vllm_args,
            url=self.url,
            trust_priority="on" if self.url else "off",
        )
