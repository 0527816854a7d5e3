"""The settings of the journal, in which the server notes what it has served."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from serving.settings.environment import PREFIX

Kept = Literal["off", "keyed", "text"]
LEAST_KEY_CHARACTERS = 16


class JournalSettings(BaseSettings):
    """What is noted of each request, where, and for how long."""

    model_config = SettingsConfigDict(env_prefix=PREFIX)

    journal: Kept = "keyed"
    """What is kept of each request: nothing, figures and keyed digests of who asked what, or its texts too."""
    journal_dir: Path | None = None
    """Folder of the journal; `journal` beside the rankers of `PARS_CACHE` unless given. Commands take it as a log."""
    journal_key: SecretStr | None = None
    """The secret of the digests; unless given, a random one that is made in the folder. Of several servers whose
    journals are read together each must have the same."""
    journal_max_bytes: int = Field(1 << 30, ge=1 << 20)
    """How large the folder may grow; the oldest rows go first."""
    journal_max_days: float = Field(30.0, gt=0, le=36500)
    """How long a row is kept."""

    @model_validator(mode="after")
    def _check_key(self) -> Self:
        characters = len(self.journal_key.get_secret_value()) if self.journal_key is not None else None
        if characters is not None and characters < LEAST_KEY_CHARACTERS:
            raise ValueError(
                f"PARS_JOURNAL_KEY must have at least {LEAST_KEY_CHARACTERS} characters, but has {characters};"
                " `openssl rand -hex 32` makes one"
            )
        return self
