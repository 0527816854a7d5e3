"""The network of a ranker: a pretrained text encoder, mean pooling, one linear head; and the format it trains in."""

from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import cast

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from transformers import AutoModel, AutoTokenizer, PreTrainedModel
from transformers.utils.logging import disable_progress_bar

from registry.errors import InvalidInput
from traffic.notes.encoders import DEFAULT_ENCODER, encoder_path
from training.network.batches import Chunk
from training.network.chunk_sizes import is_kept
from training.network.feature_head import FeatureHead

FEATURE_HEAD = "feature_head."
"""How the names of its weights begin."""


class RankerNetwork(nn.Module):
    """Token ids of prompts, and what is asked for beside them, in, one score a request out. Higher = longer.

    One that is trained for several target LLMs has a head for each, and so many scores a request; what the features add
    is the same for all.
    """

    def __init__(
        self, encoder: PreTrainedModel, hidden_size: int, reads_features: bool = False, heads: int | None = None
    ) -> None:
        super().__init__()
        self.encoder = encoder
        of_heads = () if heads is None else (heads,)
        self.weight = nn.Parameter(torch.randn(*of_heads, hidden_size) * hidden_size**-0.5)
        self.bias = nn.Parameter(torch.zeros(of_heads))
        self.feature_head = FeatureHead(hidden_size) if reads_features else None
        """None where it reads the text alone."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor, features: Tensor | None = None) -> Tensor:
        """Scores, float32 [prompts], of int64 ids and mask [prompts, tokens] and float32 features [prompts, features].

        Of several heads they are [prompts, heads]. Who reads the text alone needs no features.
        """
        encoded = self.encoder(input_ids=input_ids, attention_mask=attention_mask)
        return self._head(encoded.last_hidden_state, attention_mask, features)

    def score_chunks(self, chunks: Sequence[Chunk], kept_tokens: float = inf) -> Tensor:
        """Scores, float32, of chunks in their order: what `forward` says of each, in less time.

        All tokens are looked up at once. The gradient of the word embeddings is as large as their table, so that it is
        made once a step and not once a chunk. What backward needs of more than `kept_tokens` is not kept but made anew,
        chunk by chunk (`chunk_sizes.py`).
        """
        ids = torch.cat([chunk.input_ids.flatten() for chunk in chunks])
        padded_tokens = [chunk.input_ids.numel() for chunk in chunks]
        looked_up = self.encoder.get_input_embeddings()(ids).split(padded_tokens)
        scores = []
        for embedded, chunk, kept in zip(looked_up, chunks, is_kept(padded_tokens, kept_tokens), strict=True):
            mask = chunk.attention_mask
            inputs = embedded.view(*mask.shape, -1), mask, chunk.features
            scores.append(self._score(*inputs) if kept else checkpoint(self._score, *inputs, use_reentrant=False))
        return torch.cat(scores)

    @property
    def word_embeddings(self) -> Tensor:
        """Of the encoder: float32 [word pieces, hidden size]."""
        return cast(Tensor, self.encoder.get_input_embeddings().weight)

    def _score(self, embedded: Tensor, attention_mask: Tensor, features: Tensor) -> Tensor:
        encoded = self.encoder(inputs_embeds=embedded, attention_mask=attention_mask)
        return self._head(encoded.last_hidden_state, attention_mask, features)

    def _head(self, states: Tensor, attention_mask: Tensor, features: Tensor | None) -> Tensor:
        mask = attention_mask.unsqueeze(-1).float()
        pooled = (states.float() * mask).sum(1) / mask.sum(1).clamp(min=1)
        # Written out, not nn.Linear: neither bf16 nor int8 then rounds the score itself, which would make ties.
        has_heads = self.weight.dim() > 1
        scores = ((pooled.unsqueeze(1) if has_heads else pooled) * self.weight).sum(-1) + self.bias
        if self.feature_head is None:
            return scores
        assert features is not None
        added = cast(Tensor, self.feature_head(pooled, features))
        return scores + (added.unsqueeze(1) if has_heads else added)


def load_network(
    encoder: str, max_tokens: int, reads_features: bool = False, heads: int | None = None
) -> RankerNetwork:
    """A network with the encoder's pretrained weights and fresh heads (drawn from torch's global seed).

    Raises:
        InvalidInput: the encoder cannot be had or is too short for `max_tokens`.
    """
    disable_progress_bar()  # type: ignore[no-untyped-call]  # it counts tensors, several times a study
    try:
        model = AutoModel.from_pretrained(encoder_path(encoder), dtype=torch.float32)
    except (OSError, ValueError) as error:
        raise _no_encoder(encoder, error) from error
    most = getattr(model.config, "max_position_embeddings", None) or max_tokens
    if max_tokens > most:
        raise InvalidInput(f"{encoder} reads at most {most} tokens, but max_tokens is {max_tokens}; lower it.")
    return RankerNetwork(model, model.config.hidden_size, reads_features, heads)


def load_weights(network: RankerNetwork, path: Path) -> None:
    """Replace all weights, the heads' too, by those of a safetensors file: data only, nothing is unpickled.

    The head for features begins anew where the file has none that fits; what is usual of features is not taken over.
    Of weights with other heads each head becomes the mean: what is long for several target LLMs is so for most others.

    Raises:
        InvalidInput: they are of another architecture.
    """
    there, own = load_file(path), network.state_dict()
    width = own["weight"].shape[-1:]
    if {"weight", "bias"} <= there.keys() and there["weight"].shape[-1:] == width:
        for name, of_head in (("weight", width), ("bias", ())):
            if there[name].shape != own[name].shape:
                there[name] = there[name].reshape(-1, *of_head).mean(0).expand(own[name].shape)
    fitting = {
        name: weights
        for name, weights in there.items()
        if not name.startswith(FEATURE_HEAD) or (name in own and own[name].shape == weights.shape)
    }
    try:
        network.load_state_dict({**{name: own[name] for name in own if name.startswith(FEATURE_HEAD)}, **fitting})
    except RuntimeError as error:
        raise InvalidInput(
            f"init_from must be a ranker of the same encoder, but the weights in {path} do not fit it;"
            " give the encoder that they were trained with."
        ) from error


def averaged(networks: Sequence[RankerNetwork]) -> RankerNetwork:
    """The first of them with the mean of all their trained weights: a uniform soup (arXiv 2203.05482).

    It is of use where all were tuned from the same weights, the head's too; a mean of other networks orders nothing.
    """
    with torch.no_grad():
        for first, *others in zip(*(one.parameters() for one in networks), strict=True):
            if others and first.requires_grad:  # what was frozen stays what it was, to the last bit
                first.copy_(torch.stack([first, *others]).mean(0))
    return networks[0]


def load_tokenizer(encoder: str) -> Tokenizer:
    """The encoder's own tokenizer, without padding or truncation: exactly what the artefact will hold.

    Raises:
        InvalidInput: there is none that can be written as `tokenizer.json`.
    """
    try:
        fast = AutoTokenizer.from_pretrained(encoder_path(encoder), use_fast=True)
        tokenizer = Tokenizer.from_str(fast.backend_tokenizer.to_str())
    except (OSError, ValueError, AttributeError) as error:
        raise _no_encoder(encoder, error) from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def precision_of(precision: str) -> str:
    """Lightning's word for `auto` on this machine. A processor without bf16 emulates it, 20 times slower than fp32."""
    if precision != "auto":
        return precision
    if torch.cuda.is_available():
        has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        has_bf16 = bool(torch.cpu.get_capabilities().get("avx512_bf16", False))
    return "bf16-mixed" if has_bf16 else "32-true"


def _no_encoder(encoder: str, error: Exception) -> InvalidInput:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return InvalidInput(
        f"encoder must be {DEFAULT_ENCODER}, a Hugging Face name or a folder,"
        f" but {encoder!r} cannot be loaded: {reason}"
    )
