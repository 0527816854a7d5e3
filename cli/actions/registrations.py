"""Commands that need the registry alone: what a server's image can do, too."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from registry import store
from registry.artefact.card import RankerCard
from registry.runs.stored_run import stored_run
from registry.tracking import name_run

RETRY_S = 60.0


@dataclass(frozen=True, kw_only=True)
class RegisterConfig:
    """Which ranker."""

    ranker: Path
    """Folder of a ranker that is not registered."""


@dataclass(frozen=True, kw_only=True)
class RollbackConfig:
    """Whose champion."""

    target_llm: str
    """Exact name of the LLM whose answers are predicted."""


def register(config: RegisterConfig) -> str:
    """Register a ranker's folder in a run of its own."""
    card = RankerCard.read(config.ranker)
    with stored_run(f"register {card.target_llm}"):
        version = store.register(config.ranker, RETRY_S)
    return (
        f"{store.model_name(card.target_llm)} version {version} is registered. Judge it and make it the champion:"
        f" pars promote --target-llm {shlex.quote(card.target_llm)}"
    )


@dataclass(frozen=True, kw_only=True)
class OrderingConfig(RollbackConfig):
    """Whether its requests are ordered."""

    state: Literal["on", "off"]
    """`off`: running servers go on first come, first served within seconds; `on`: they order again."""


def rollback(config: RollbackConfig) -> str:
    """Bring the champion before this one back."""
    champion = store.rollback(config.target_llm)
    name_run(f"roll {config.target_llm} back to version {champion}")
    return f"{store.model_name(config.target_llm)}: version {champion} is the champion again."


def ordering(config: OrderingConfig) -> str:
    """Switch ordering on or off in running servers."""
    store.switch_ordering(config.target_llm, config.state)
    name_run(f"switch the ordering of {config.target_llm} {config.state}")
    return f"{store.model_name(config.target_llm)}: ordering is {config.state}."
