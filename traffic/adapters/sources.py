"""All sources of logs that are recognised; a new one is one more file and one more name here."""

from collections.abc import Iterable

from traffic.adapters.adapter import Adapter
from traffic.adapters.conversations.lmsys import LMSYS
from traffic.adapters.conversations.sharegpt import SHAREGPT
from traffic.adapters.conversations.wildchat import WILDCHAT
from traffic.adapters.guidellm import GUIDELLM
from traffic.adapters.langfuse import LANGFUSE
from traffic.adapters.litellm import LITELLM
from traffic.adapters.openai_batch import OPENAI_BATCH
from traffic.adapters.otlp.spans import OTLP
from traffic.adapters.vllm_bench import VLLM_BENCH
from traffic.rows.record import Values

SOURCES = (OTLP, GUIDELLM, VLLM_BENCH, OPENAI_BATCH, SHAREGPT, WILDCHAT, LMSYS, LANGFUSE, LITELLM)
"""Those with the most telling columns first."""


def source_of(records: Iterable[Values]) -> Adapter | None:
    """The source that a file comes from whose first records these are; None for a log of our own form."""
    return next((source for values in records for source in SOURCES if source.recognises(values)), None)
