from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, SecretStr

from cli.commands import COMMANDS
from cli.reference.card_tables import PARTS
from cli.reference.field_words import REQUIRED, Words, dataclass_words, model_words
from registry.artefact.card import RankerCard
from serving.config import Settings
from serving.rank_bodies import RankAnswer, RankRequest


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked for."""

    log: Path
    """A file, or
    a folder."""
    share: float = 0.0
    policies: tuple[str, ...] = ("fcfs", "pars")
    """Their names."""
    loss: Literal["margin", "logistic"] = "margin"
    quiet: bool = False
    model: str | None = None


class Served(BaseModel):
    """What is served."""

    patience_s: float = Field(120.0, ge=0, le=1e9)
    """How long."""
    threads: Annotated[int, Field(gt=0)] = 1
    key: SecretStr | None = None
    rankers: Mapping[str, Path] = {}


def test_a_dataclass_in_words() -> None:
    assert dataclass_words(Asked) == [
        Words("log", "path", REQUIRED, "A file, or a folder."),
        Words("share", "number", "<code>0</code>", ""),
        Words("policies", "several, each text", "<code>fcfs,pars</code>", "Their names."),
        Words("loss", "<code>margin</code>, <code>logistic</code>", "<code>margin</code>", ""),
        Words("quiet", "on or off", "<code>off</code>", ""),
        Words("model", "text", "", ""),
    ]


def test_a_model_in_words() -> None:
    assert model_words(Served) == [
        Words("patience_s", "number from 0 to 1e+09", "<code>120</code>", "How long."),
        Words("threads", "whole number above 0", "<code>1</code>", ""),
        Words("key", "secret", "", ""),
        Words("rankers", "path by name", "", ""),
    ]


@pytest.mark.parametrize("model", [Settings, RankRequest, RankerCard, *PARTS], ids=lambda model: model.__name__)
def test_every_field_says_what_it_means(model: type[BaseModel]) -> None:
    assert [one.name for one in model_words(model) if not one.meaning] == []


def test_every_option_says_what_it_means() -> None:
    settings = [RankAnswer, *(one.load_settings() for one in COMMANDS)]
    assert [one.name for each in settings for one in dataclass_words(each) if not one.meaning] == []
