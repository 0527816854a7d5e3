"""What `pars targets` looks at. The command line reads its defaults from here."""

from dataclasses import dataclass
from pathlib import Path

from registry.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class TargetsConfig:
    """Where live figures come from, and how they are shown."""

    journal: Path | None = None
    """A server's journal, for what is seen live: tau, answers a day, the correction. It needs no texts."""
    url: str | None = None
    """A running server, whose page of metrics says the same of its last answers."""
    days: float = 7.0
    """The newest days of the journal."""
    max_requests: int = 5000
    """The newest answers of each target LLM, at most."""
    json: bool = False
    """Print JSON, for other programs."""

    def __post_init__(self) -> None:
        """Refuse what is not there; a target LLM of which it holds nothing is no mistake."""
        if self.journal is not None and not self.journal.exists():
            raise InvalidInput(f"journal must be the folder of a server's journal, but {self.journal} is not there.")
        if self.journal is not None and self.url is not None:
            raise InvalidInput(f"give journal or url, but got both: {self.journal} and {self.url}.")
