"""The columns of the journal: those of all traffic, and what only a server knows of a request."""

import pyarrow as pa

from traffic.rows.schema import TRAFFIC, column

JOURNAL = pa.schema(
    [
        *TRAFFIC,
        column("answer", pa.int64(), "which of the request's `n` answers this is, from 0; each has a row of its own"),
        column("prompt_key", pa.string(), "HMAC of the prompt: equal prompts have equal keys, and nothing else shows"),
        column("system_key", pa.string(), "HMAC of the system prompt"),
        column("instant_tokens", pa.float64(), "what the ranker's instant tier predicted"),
        column("encoder_tokens", pa.float64(), "what its encoder predicted, if it has read the prompt in time"),
        column("correction", pa.float64(), "what the predictions were multiplied by to find the place"),
        column("quantile", pa.float64(), "the place among all requests, 0 to 1"),
        column("work_s", pa.float64(), "the predicted work, where the queue is ordered by that"),
        column("placed_by", pa.string(), "encoder, instant, median, arrival or client"),
        column("fail_open_reason", pa.string(), "why neither tier placed it"),
        column("ranker_digest", pa.string(), "SHA-256 of the card of the ranker that placed it"),
        column("held_s", pa.float64(), "in our hands: from the arrival until it was handed on to vLLM"),
        column("waiting_s", pa.float64(), "in vLLM's queue"),
        column("service_s", pa.float64(), "from vLLM's queue to the last token"),
        column("cached_tokens", pa.int64(), "of the prompt, found in vLLM's prefix cache"),
        column("preemptions", pa.int64(), "how often vLLM has thrown it out of its batch"),
        column("ended_by", pa.string(), "vLLM's finish reason; left (the client), failed, stopping or killed (we)"),
    ]
)
