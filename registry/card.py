"""The facts that travel with a ranker's weights."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from registry.calibration import Calibration, LengthDistribution
from registry.errors import UserError

CARD_FILE = "card.json"


class InvalidRanker(UserError, ValueError):
    """A folder that is not a ranker, or not the one asked for; the message says why."""


class RankerCard(BaseModel):
    """What a server must know of a ranker before it trusts its scores. Score direction: higher = longer."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    target_llm: str = Field(min_length=1)
    """Exact name of the LLM whose answers are predicted."""
    encoder: str
    """Name or path of the encoder that was fine-tuned."""
    max_tokens: int = Field(ge=8)
    """Tokens of a prompt that the ranker reads; see `registry.request.encode`."""
    text_rendering: str
    """`registry.request.TEXT_RENDERING` at training time."""
    data_digest: str
    """Digest of the length log."""
    training_prompts: int = Field(ge=0)
    seed: int
    calibration: Calibration
    distribution: LengthDistribution
    """Predicted tokens of the validation prompts."""
    metrics: dict[str, float] = {}
    """Test metrics, by name."""
    sha256: dict[str, str]
    """Digest of each other file of the artefact."""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the card of a ranker's folder.

        Raises:
            InvalidRanker: no card, or not a valid one.
        """
        path = folder / CARD_FILE
        if not path.is_file():
            raise InvalidRanker(f"a ranker's folder holds a {CARD_FILE}, but {folder} has none.")
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            raise InvalidRanker(f"{path} is not a valid card: {problems}") from error

    def write(self, folder: Path) -> None:
        """Write the card into a ranker's folder."""
        (folder / CARD_FILE).write_text(self.model_dump_json(indent=2), encoding="utf-8")
