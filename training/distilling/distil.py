"""The encoder teaches the instant network: its scores of prompts whose answers nobody needs to know."""

from collections.abc import Sequence

import lightning
import torch
from tokenizers import Tokenizer
from torch import Tensor

from registry.order.certain_pairs import Values
from registry.request_features import RequestView, matrix_of
from registry.window.token_window import TokenWindow
from training.config import TrainingConfig
from training.distilling.instant_network import InstantNetwork, table_width
from training.distilling.lessons import Lessons
from training.distilling.student import Student
from training.fit_progress import FitProgress
from training.network.encoder import RankerNetwork
from training.network.network_scores import network_scores
from training.quiet_lightning import quiet_lightning

MAX_CHARACTERS = 512
"""Characters of a prompt that the instant network reads, of heads and tails: what a tokenizer does in 0.1 ms."""
LEAST_SPREAD = 1e-6
"""A teacher that scores all prompts alike has no spread to measure by."""
START_SPREAD = 0.3
"""Standard deviation of the numbers of a word piece's vector."""


def distil(
    config: TrainingConfig,
    network: RankerNetwork,
    tokenizer: Tokenizer,
    views: Sequence[RequestView],
    scores: Values | None = None,
) -> InstantNetwork:
    """An instant network that orders the requests as the fitted encoder does, in evaluation mode.

    `scores` are what the encoder says of them, if that is known.
    No length is looked at, so the requests need no answers. The same config, network and requests give the same one on
    the same machine.

    Raises:
        InvalidInput: the encoder has too many word pieces.
    """
    if scores is None:
        scores = network_scores(config, network, tokenizer, views, "score prompts for the instant network")
    teacher = torch.from_numpy(scores)
    lightning.seed_everything(config.seed, verbose=False)
    instant = InstantNetwork(reduced(network.word_embeddings.detach()), network.feature_head is not None)
    window = TokenWindow(tokenizer, config.max_tokens, MAX_CHARACTERS)
    encoded = [window.ids(view.text, view.tools) for view in views]
    features = torch.from_numpy(matrix_of(views))
    if instant.feature_head is not None:
        instant.feature_head.fitted(features)
    standardised = ((teacher - teacher.mean()) / teacher.std().clamp(min=LEAST_SPREAD)).float()
    lessons = Lessons(encoded, features, standardised, config.seed)
    with quiet_lightning():
        _trainer(config.distil_epochs).fit(Student(instant.train()), lessons)
    return instant.eval()


def _trainer(epochs: int) -> lightning.Trainer:
    return lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        devices=1,
        callbacks=[FitProgress("teach the instant network")],
        enable_progress_bar=False,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
    )


def reduced(embeddings: Tensor) -> Tensor:
    """The encoder's word embeddings in the directions in which they differ most, float32 [pieces, width].

    That is their singular value decomposition, by way of the small matrix of their products.
    """
    centred = embeddings.float() - embeddings.float().mean(0)
    _, directions = torch.linalg.eigh(centred.T @ centred)
    width = min(table_width(len(centred)), centred.shape[1])
    vectors = centred @ directions[:, -width:].flip(1)
    scaled: Tensor = vectors * (START_SPREAD / vectors.std())
    return scaled
