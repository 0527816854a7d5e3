"""Commands that move the aliases of registered rankers, which say what is served."""

from dataclasses import dataclass

from registry import store
from registry.tracking import name_run


@dataclass(frozen=True, kw_only=True)
class RollbackConfig:
    """Whose champion."""

    target_llm: str
    """Exact name of the LLM whose answers are predicted."""


@dataclass(frozen=True, kw_only=True)
class PromoteConfig(RollbackConfig):
    """Which version."""

    version: str | None = None
    """Version to serve; the newest unless given."""

    def __post_init__(self) -> None:
        """Refuse what is no version."""
        if self.version is not None and not self.version.isdecimal():
            raise store.RegistryError(f"a version is a whole number, but got {self.version!r}.")


def promote(config: PromoteConfig) -> str:
    """Make a version the champion."""
    champion = store.promote(config.target_llm, int(config.version) if config.version else None)
    name_run(f"promote {config.target_llm} to version {champion}")
    return f"{store.model_name(config.target_llm)}: version {champion} is the champion."


def rollback(config: RollbackConfig) -> str:
    """Bring the champion before this one back."""
    champion = store.rollback(config.target_llm)
    name_run(f"roll {config.target_llm} back to version {champion}")
    return f"{store.model_name(config.target_llm)}: version {champion} is the champion again."
