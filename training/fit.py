"""Fit a network to labelled prompts; knows nothing of MLflow, Optuna or files."""

import logging
import warnings
from collections.abc import Sequence

import lightning
import torch
from lightning.pytorch.callbacks import Callback, TQDMProgressBar
from tokenizers import Tokenizer

from training.batches import Batches, encode_all
from training.config import TrainingConfig
from training.encoder import RankerNetwork, load_network, load_tokenizer
from training.length_log import LabelledPrompts
from training.losses import make_loss
from training.module import RankerModule


def fit(
    config: TrainingConfig, train: LabelledPrompts, validation: LabelledPrompts, callbacks: Sequence[Callback] = ()
) -> tuple[RankerNetwork, Tokenizer]:
    """Train on `train` with the config's hyperparameters; `validation` only draws the curve.

    Returns the network on the CPU, in evaluation mode, and its tokenizer. The same config and prompts give the
    same network on the same machine.
    """
    lightning.seed_everything(config.seed, verbose=False)
    tokenizer = load_tokenizer(config.encoder)
    network = load_network(config.encoder, config.max_tokens)
    train_batches = _batches(config, tokenizer, train, config.seed)
    module = RankerModule(network.train(), make_loss(config), config.learning_rate)
    validation_batches = _batches(config, tokenizer, validation, None)
    trainer = _trainer(config, len(train_batches), callbacks)
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", r"`isinstance\(treespec, LeafSpec\)` is deprecated"
        )  # Lightning with torch 2.13
        trainer.fit(module, train_batches, validation_batches)
    return network.cpu().eval(), tokenizer


def precision_of(precision: str) -> str:
    """Lightning's word for `auto` on this machine. A processor without bf16 emulates it, 20 times slower than fp32."""
    if precision != "auto":
        return precision
    if torch.cuda.is_available():
        has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        has_bf16 = bool(torch.cpu.get_capabilities().get("avx512_bf16", False))
    return "bf16-mixed" if has_bf16 else "32-true"


def _batches(config: TrainingConfig, tokenizer: Tokenizer, labelled: LabelledPrompts, seed: int | None) -> Batches:
    encoded = encode_all(tokenizer, labelled.prompts, config.max_tokens)
    return Batches(encoded, labelled, config.batch_prompts, config.chunk_prompts, seed)


def _trainer(config: TrainingConfig, steps_per_epoch: int, callbacks: Sequence[Callback]) -> lightning.Trainer:
    # Its greetings and tips are not about this training.
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    return lightning.Trainer(
        max_epochs=config.epochs,
        precision=precision_of(config.precision),  # type: ignore[arg-type]  # Lightning checks the word
        devices=1,
        callbacks=[TQDMProgressBar(), *callbacks],
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        val_check_interval=max(1, steps_per_epoch // config.validations_per_epoch),
        gradient_clip_val=1.0,
    )
