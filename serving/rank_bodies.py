"""What `POST /rank` takes and what it answers: the site's reference and its OpenAPI say it from here."""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from registry.ranker import Prediction, Tier
from registry.request import render_messages
from serving.api_bodies import cap_tokens
from traffic.cells.params import PARAMS

MOST_SHOWN = 40
"""Characters of a field's name in an error."""


class RankRequest(BaseModel):
    """Either a prompt or chat messages, and what else the engine's request would ask for, by the names of the APIs."""

    model_config = ConfigDict(extra="allow")

    prompt: str | None = None
    """A text, as of a completion."""
    messages: list[dict[str, Any]] | None = None
    """A chat, as of a chat completion."""
    max_tokens: int | None = Field(None, ge=1)
    """The longest answer that the request allows; it caps the predicted length's place."""
    model: str | None = None
    """The name that a client would give; it matters where several target LLMs are served."""
    tier: Tier | None = None
    """The network to be asked; unless given it is the encoder, or the instant one where the encoder is late."""

    @model_validator(mode="after")
    def _check(self) -> "RankRequest":
        if unknown := [name for name in self.model_extra or {} if name not in PARAMS]:
            raise ValueError(f"a ranker reads no `{unknown[0][:MOST_SHOWN]}`, but {', '.join(PARAMS)}")
        if (self.prompt is None) == (self.messages is None):
            raise ValueError("a request holds either `prompt` or `messages`")
        return self

    @property
    def text(self) -> str:
        """The text to rank."""
        return self.prompt if self.prompt is not None else render_messages(self.messages or [])

    @property
    def params(self) -> dict[str, Any]:
        """What is asked for beside the text, as an engine's request would."""
        return {"max_tokens": self.max_tokens, **(self.model_extra or {})}

    @property
    def cap_tokens(self) -> int | None:
        """The longest answer that it allows."""
        return cap_tokens(self.params)


@dataclass(frozen=True, kw_only=True)
class RankAnswer(Prediction):
    """What the route answers."""

    correction: float
    """What the predicted tokens were multiplied by before they were placed: what answers have said lately."""
    order_by: Literal["length", "work"]
    """What `quantile` is a place among."""
    tier: Tier
    """The network that answered."""
    ranker_version: int | None
    """In the registry; none of a ranker that is not from there."""
