"""The control: a ranker trained on shuffled labels. It knows nothing, so ordering by it must gain nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.replay.config import ReplayConfig
from registry.ranker import Ranker
from registry.store import load_ranker
from traffic.length_log import LengthLogSource
from training.config import TrainingConfig

UNSEEN_PROMPTS = 200
"""Validation and test prompts of a control: enough to calibrate what is worth nothing."""


@contextmanager
def control_ranker(config: ReplayConfig) -> Iterator[Ranker]:
    """Yield the given control ranker, or train a small one from the same length log."""
    if config.control:
        yield load_ranker(config.control)
        return
    from training.train import train_folder  # Lightning takes seconds to import: not where no control is trained

    with TemporaryDirectory() as folder:
        yield Ranker.load(train_folder(_training(config), Path(folder)))


def _training(config: ReplayConfig) -> TrainingConfig:
    return TrainingConfig(
        **{one.name: getattr(config, one.name) for one in fields(LengthLogSource)},
        target_llm=config.target_llm,
        shuffle_labels=True,
        max_prompts=config.control_prompts,
        validation_prompts=UNSEEN_PROMPTS,
        test_prompts=UNSEEN_PROMPTS,
        trials=0,
        seed=config.seed,
    )
