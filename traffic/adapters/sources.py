"""All sources of logs that are recognised; a new one is one more file and one more name here."""

from traffic.adapters.adapter import Adapter
from traffic.adapters.litellm import LITELLM
from traffic.adapters.openai_batch import OPENAI_BATCH
from traffic.adapters.sharegpt import SHAREGPT
from traffic.rows.record import Values

SOURCES = (SHAREGPT, OPENAI_BATCH, LITELLM)


def source_of(values: Values) -> Adapter | None:
    """The source that a first record comes from; None for a log of our own form."""
    return next((one for one in SOURCES if one.recognises(values)), None)
