"""Where fresh requests are. The command line and MLproject read their defaults from here."""

from dataclasses import dataclass
from pathlib import Path

from registry.errors import InvalidInput
from traffic.rows.rules import ARRIVAL_COLUMN, PROMPT_TOKENS_COLUMN, RowRules


@dataclass(frozen=True, kw_only=True)
class FreshSource(RowRules):
    """Whose requests, and where they were written down."""

    target_llm: str
    """Exact name of the LLM whose answers are predicted."""
    journal: Path | None = None
    """Folder of a server's journal (PARS_JOURNAL_DIR)."""
    log: Path | None = None
    """Any log of served traffic, where there is no journal."""
    model: str | None = None
    """How the log names the target LLM, if otherwise; a log that names a single one is taken for its."""
    days: float = 7.0
    """The newest days by arrival; of a log without arrivals all of it."""
    max_requests: int = 5000
    """The newest requests of these days, at most."""
    arrival_column: str = ARRIVAL_COLUMN
    """Column of the arrival, if there is one."""
    prompt_tokens_column: str = PROMPT_TOKENS_COLUMN
    """Column of the prompt's tokens, if there is one."""

    def __post_init__(self) -> None:
        """Refuse what holds no request."""
        if self.journal is not None and self.log is not None:
            raise InvalidInput(f"give journal or log, but got both: {self.journal} and {self.log}.")
        if not self.days > 0:
            raise InvalidInput(f"days must be above 0, but got {self.days}.")
        if self.max_requests < 2:
            raise InvalidInput(f"max_requests must be at least 2, but got {self.max_requests}.")

    @property
    def path(self) -> Path | None:
        """The journal or the log; None if neither was given."""
        return self.journal if self.journal is not None else self.log
