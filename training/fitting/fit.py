"""Fit a network to labelled prompts; knows nothing of MLflow or Optuna, and of no file but its checkpoint."""

from collections.abc import Sequence
from pathlib import Path

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from tokenizers import Tokenizer

from registry.artefact.files import WEIGHTS_FILE
from registry.errors import InvalidInput
from traffic.labelled_prompts import LabelledPrompts
from training.config import TrainingConfig
from training.fit_progress import FitProgress
from training.fitting.checkpoint import checkpoint_in, keeping_checkpoints
from training.fitting.module import TOTAL_ENCODER_TOKENS, RankerModule
from training.fitting.pairs import sample_pairs
from training.network.batches import Batches, Encoded, Labels, encode_all
from training.network.encoder import (
    RankerNetwork,
    averaged,
    load_network,
    load_tokenizer,
    load_weights,
    precision_of,
)
from training.network.examples import Examples, examples_of
from training.quiet_lightning import quiet_lightning

DATA_PARALLEL = "ddp_spawn_find_unused_parameters_true"
"""Lightning's `ddp` would run the whole command again in every process: the study, and the registration too. Encoders
bring parameters, such as BERT's pooler, that no score depends on."""
TITLE = "train the encoder"
SEEDS_APART = 1_000
"""Between the trainings of a soup, so that soups of neighbouring seeds share no training."""


def fit(
    config: TrainingConfig,
    train: LabelledPrompts,
    validation: LabelledPrompts,
    callbacks: Sequence[Callback] = (),
    title: str = TITLE,
) -> tuple[RankerNetwork, Tokenizer]:
    """A network for one target LLM: see `fit_examples`."""
    return fit_examples(config, examples_of(train), examples_of(validation), callbacks, title)


def fit_examples(
    config: TrainingConfig,
    train: Examples,
    validation: Examples,
    callbacks: Sequence[Callback] = (),
    title: str = TITLE,
) -> tuple[RankerNetwork, Tokenizer]:
    """Train on `train` with the config's hyperparameters; `validation` only draws the curve.

    Its progress is shown under the title. With examples of several target LLMs the network has a head for each.
    `init_from`, if given, is a local folder by now (see `warm_start.py`). Returns the network on the CPU, in
    evaluation mode, and its tokenizer; of a soup it is the average of its trainings, which the callbacks see one after
    the other. The same config and prompts give the same network on the same machine, whether or not the training was
    killed and resumed from the config's checkpoint folder.
    With several devices each process encodes its share of every batch, and pairs are made of the whole batch.

    Raises:
        InvalidInput: the encoder or the loss cannot be had, or pairs are to be sampled and none counts.
    """
    tokenizer = load_tokenizer(config.encoder)
    encoded = encode_all(tokenizer, train.views, config.max_tokens)
    curve = encode_all(tokenizer, validation.views, config.max_tokens)
    networks: list[RankerNetwork] = []
    encoder_tokens = 0
    for member in range(config.soup):
        network = _first_network(config, train, encoded)
        module = RankerModule(network, config, train.targets, member, encoder_tokens)
        seed = config.seed + member * SEEDS_APART
        if member:  # the first draws on as it would without a soup
            lightning.seed_everything(seed, verbose=False)
        batches = _training_batches(config, encoded, train.labels, seed)
        validated = Batches(curve, validation.labels, config.batch_prompts, config.chunk_tokens, None)
        progress = FitProgress(title if config.soup == 1 else f"{title} ({member + 1} of {config.soup})")
        encoder_tokens = _train(config, module, batches, validated, [progress, *callbacks])
        networks.append(network.cpu().eval())
    return averaged(networks), tokenizer


def _first_network(config: TrainingConfig, train: Examples, encoded: Encoded) -> RankerNetwork:
    """What a training starts from; every one of a soup from the same, or else their average would be of no use."""
    lightning.seed_everything(config.seed, verbose=False)
    network = load_network(config.encoder, config.max_tokens, config.features == "on", len(train.targets) or None)
    # A pointwise loss wants scores in log tokens and starts there; no other loss sees what all scores share.
    medians = np.nanmedian(train.labels.output_tokens.double().numpy(), axis=0)
    network.bias.data.copy_(torch.as_tensor(np.log(medians)))
    if config.init_from is not None:
        load_weights(network, Path(config.init_from) / WEIGHTS_FILE)
    if network.feature_head is not None:
        network.feature_head.fitted(encoded.features)
    network.encoder.get_input_embeddings().requires_grad_(config.word_embeddings == "trained")
    return network.train()


def _train(
    config: TrainingConfig, module: RankerModule, batches: Batches, validated: Batches, callbacks: Sequence[Callback]
) -> int:
    """Train the module's network; return the tokens that the encoder has read by now."""
    kept = keeping_checkpoints(config.checkpoint, module.member, batches) if config.checkpoint else []
    checkpoint = checkpoint_in(config.checkpoint, module.member) if config.checkpoint else None
    with quiet_lightning():
        trainer = _trainer(config, len(batches), [*callbacks, *kept])
        try:
            trainer.fit(module, batches, validated, ckpt_path=checkpoint, weights_only=True)
        finally:  # a pruned trial ends in an exception
            _release(trainer, module)
    return int(trainer.callback_metrics[TOTAL_ENCODER_TOKENS])


def _release(trainer: lightning.Trainer, module: RankerModule) -> None:
    """Let go of gradients, optimiser state and network: a trainer outlives its fit, and many fits would pile up."""
    module.zero_grad()
    for optimizer in trainer.optimizers:
        optimizer.state.clear()
        optimizer.param_groups.clear()
    del module.network


def _training_batches(config: TrainingConfig, encoded: Encoded, labels: Labels, seed: int) -> Batches:
    """Batches of prompts that are all paired with each other, or of pairs that were sampled beforehand."""
    if config.pairing == "in_batch":
        return Batches(encoded, labels, config.batch_prompts, config.chunk_tokens, seed)
    pairs = sample_pairs(labels, config.partners, config.min_length_difference, seed)
    if not len(pairs):
        raise InvalidInput(
            f"two prompts must be a pair that counts, but none of {len(encoded.ids)} training prompts differ enough"
            f" with min_length_difference={config.min_length_difference}; lower it."
        )
    return Batches(encoded, labels, config.batch_pairs, config.chunk_tokens, seed, pairs)


def _trainer(config: TrainingConfig, steps_per_epoch: int, callbacks: Sequence[Callback]) -> lightning.Trainer:
    return lightning.Trainer(
        max_epochs=config.epochs,
        precision=precision_of(config.precision),  # type: ignore[arg-type]  # Lightning checks the word
        devices=config.devices,
        strategy="auto" if (config.devices, config.strategy) == (1, "auto") else DATA_PARALLEL,
        callbacks=[*callbacks],
        enable_progress_bar=False,
        logger=False,
        enable_checkpointing=config.checkpoint is not None,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        val_check_interval=max(1, steps_per_epoch // config.validations_per_epoch),
    )
