"""The command that lets a server's journal forget somebody."""

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from registry.errors import InvalidInput
from serving.journal.files.erasure import erase
from serving.journal.keys import Identity
from serving.settings.environment import objection_to_value
from serving.settings.journal_settings import JournalSettings


@dataclass(frozen=True, kw_only=True)
class ErasureConfig:
    """Whose rows leave which journal: those that have all of what is given, each as it is or as its digest."""

    journal: Path
    """The journal's folder; servers may be writing it."""
    tenant: str | None = None
    """On whose behalf was asked."""
    session: str | None = None
    """The conversation."""
    prompt: str | None = None
    """The text that a ranker reads of the request."""
    system: str | None = None
    """The system prompt."""
    model: str | None = None
    """The target LLM."""
    request: str | None = None
    """The request's name."""

    def __post_init__(self) -> None:
        """Refuse to erase what nobody has named."""
        if not self.identities:
            names = ", ".join(f"--{identity}" for identity in get_args(Identity))
            raise InvalidInput(f"an erasure must say whose rows go, but got nothing: give one of {names}.")

    @property
    def identities(self) -> dict[Identity, str]:
        """What rows must have to go."""
        return {identity: value for identity in get_args(Identity) if (value := getattr(self, identity))}


def erase_from_journal(config: ErasureConfig) -> str:
    """Erase; the digests' key is PARS_JOURNAL_KEY, or that of the folder."""
    erased = erase(config.journal, config.identities, _secret())
    return f"{erased.rows:,} rows of {erased.files:,} files have left {config.journal}."


def _secret() -> str | None:
    try:
        key = JournalSettings().journal_key
    except ValidationError as error:
        raise InvalidInput(f"{objection_to_value(error.errors()[0])}.") from None
    return None if key is None else key.get_secret_value()
