"""What a network that was just trained says of prompts, many at a time, before there is an artefact."""

from collections.abc import Sequence

import numpy as np
import torch
from tokenizers import Tokenizer

from registry.order.certain_pairs import Values
from registry.request_features import RequestView
from terminal.progress import progress
from training.config import TrainingConfig
from training.network.batches import encode_all
from training.network.encoder import RankerNetwork, precision_of

CHUNK_PROMPTS = 32
"""Prompts of similar length that are scored together."""


@torch.inference_mode()
def network_scores(
    config: TrainingConfig,
    network: RankerNetwork,
    tokenizer: Tokenizer,
    views: Sequence[RequestView],
    title: str = "score prompts",
) -> Values:
    """Scores of the float network in the precision of its training, in the order of the requests. Higher = longer.

    Of several heads they are [requests, heads]. Progress is shown under the title.
    """
    encoded = encode_all(tokenizer, views, config.max_tokens)
    by_tokens = sorted(range(len(views)), key=lambda index: len(encoded.ids[index]))
    scores = np.empty((len(views), *network.bias.shape))
    with (
        torch.autocast("cpu", torch.bfloat16, enabled=precision_of(config.precision) == "bf16-mixed"),
        progress(title, "prompts", len(views)) as advance,
    ):
        for start in range(0, len(by_tokens), CHUNK_PROMPTS):
            chunk = by_tokens[start : start + CHUNK_PROMPTS]
            scores[chunk] = network(*encoded.chunk(torch.tensor(chunk))).numpy()
            advance(len(chunk))
    return scores
