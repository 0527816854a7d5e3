"""The instant network: embeddings of word pieces and hashed bigrams, two narrow convolutions, attention pooling.

A hundred times less work than the encoder, whose scores it learns (`distil.py`). `artefact/instant_graph.py` writes the
same computation as a graph for one prompt.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from registry.errors import InvalidInput
from training.distilling.packing import GAP, Packed
from training.network.feature_head import FeatureHead

BIGRAM_ROWS = 131_071
"""Rows that hashed bigrams share; a prime, so that the remainder uses every bit of a hash."""
WIDTHS = (64, 32, 16, 8)
"""Of an embedding; an encoder of many word pieces gets the widest that keeps the graph small."""
MOST_TABLE_BYTES = 14_000_000
"""Of the table in the graph, which has a byte a number and four for the scale of each row."""
CHANNELS = 96
SPAN = 2 * GAP + 1
"""Tokens that a convolution sees at once."""
HEADS = 4
"""Attention heads, each of which pools all channels by weights of its own."""
HIDDEN = 64

MULTIPLIERS = ((0, 1), (1_000_003, 998_244_353))
"""What the ids of the token before and of this one count in the row of a piece, and in that of a bigram. Vocabularies
are below 2**20, so the sums stay within 64 bits."""


class InstantNetwork(nn.Module):
    """Packed prompts, and what is asked for beside them, in, one score a request out. Higher = longer."""

    def __init__(self, piece_vectors: Tensor, reads_features: bool = False) -> None:
        """Begin with a vector for each word piece, float32 [pieces, width]; bigrams begin near zero."""
        super().__init__()
        self.pieces, width = piece_vectors.shape
        self.table = nn.Embedding(self.pieces + BIGRAM_ROWS, width, sparse=True)
        nn.init.normal_(self.table.weight, std=0.01)
        with torch.no_grad():
            self.table.weight[: self.pieces] = piece_vectors
        self.first = nn.Conv1d(width, CHANNELS, SPAN, padding=GAP)
        self.first_norm = nn.LayerNorm(CHANNELS)
        self.second = nn.Conv1d(CHANNELS, CHANNELS, SPAN, padding=GAP)
        self.second_norm = nn.LayerNorm(CHANNELS)
        self.attention = nn.Linear(CHANNELS, HEADS)
        self.hidden = nn.Linear(HEADS * CHANNELS, HIDDEN)
        self.score = nn.Linear(HIDDEN, 1)
        self.feature_head = FeatureHead(HIDDEN) if reads_features else None
        """None where it reads the text alone."""
        self.dropout = nn.Dropout(0.1)

    def forward(self, packed: Packed, features: Tensor | None = None) -> Tensor:
        """Scores, float32 [prompts], of prompts and features, float32 [prompts, features]."""
        is_token = packed.is_token.unsqueeze(1)
        embedded = self.dropout(self.table(self.rows(packed.ids)).sum(1) * is_token)
        states = self.first_norm(_convolved(self.first, embedded)) * is_token
        states = self.second_norm(_convolved(self.second, states) + states) * is_token
        pooled = self._pooled(states, packed)
        hidden = torch.relu(self.hidden(self.dropout(pooled)))
        scores: Tensor = self.score(hidden).squeeze(1)
        return scores if self.feature_head is None else scores + self.feature_head(hidden, features)

    def rows(self, ids: Tensor) -> Tensor:
        """Rows of the table for the piece and the bigram that end at each token: int64 [tokens, 2]."""
        hashes = pad(ids, (1, 0)).unfold(0, 2, 1) @ torch.tensor(MULTIPLIERS).T
        return hashes % torch.tensor([self.pieces, BIGRAM_ROWS]) + torch.tensor([0, self.pieces])

    def _pooled(self, states: Tensor, packed: Packed) -> Tensor:
        """Each head's mean of the states of a prompt, float32 [prompts, heads * channels]."""
        logits = self.attention(states)
        weights = (logits - logits.detach().max()).exp() * packed.is_token.unsqueeze(1)
        weighted = (weights.unsqueeze(2) * states.unsqueeze(1)).flatten(1)
        sums = torch.zeros(packed.prompts, HEADS).index_add(0, packed.prompt_of, weights)
        pooled = torch.zeros(packed.prompts, HEADS * CHANNELS).index_add(0, packed.prompt_of, weighted)
        return pooled / sums.repeat_interleave(CHANNELS, 1)


def table_width(pieces: int) -> int:
    """How wide the embeddings of an encoder with so many word pieces are.

    Raises:
        InvalidInput: no width keeps the table small.
    """
    for width in WIDTHS:
        if (pieces + BIGRAM_ROWS) * (width + 4) <= MOST_TABLE_BYTES:
            return width
    raise InvalidInput(
        f"the instant network holds at most {MOST_TABLE_BYTES:,} bytes, but the encoder has {pieces:,} word pieces;"
        " leave the instant tier out with distil_epochs=0, or take another encoder."
    )


def _convolved(convolution: nn.Conv1d, states: Tensor) -> Tensor:
    """Of states [tokens, channels]."""
    convolved: Tensor = torch.relu(convolution(states.T.unsqueeze(0)).squeeze(0).T)
    return convolved
