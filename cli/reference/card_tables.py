"""A ranker's card, from its pydantic models."""

from pydantic import BaseModel

from cli.reference.field_words import first_words, model_words
from cli.reference.site_table import code, table
from registry.artefact.calibration import Calibration
from registry.artefact.card import InstantTier, RankerCard, ReferenceScores
from registry.artefact.joint import JointSample
from registry.artefact.length_distribution import LengthDistribution
from registry.features.asked_features import READERS
from registry.features.text_features import TEXT_FEATURES

PARTS = (InstantTier, Calibration, LengthDistribution, JointSample, ReferenceScores)


def card_fields() -> str:
    """Those of the card itself."""
    return _fields(RankerCard)


def card_parts() -> str:
    """A section of each model that stands in the card."""
    return "\n".join(f"## {part.__name__}\n\n{first_words(part)}\n\n{_fields(part)}" for part in PARTS)


def features() -> str:
    """What a ranker reads beside the text, and where that stands in a request."""
    asked = ((code(name), ", ".join(map(code, sorted(one.fields)))) for name, one in READERS.items())
    return table(("feature", "read of"), [*((code(name), "the text") for name in TEXT_FEATURES), *asked])


def _fields(model: type[BaseModel]) -> str:
    rows = ((code(name), *words) for name, *words in model_words(model))
    return table(("field", "holds", "unless given", "meaning"), rows)
