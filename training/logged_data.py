"""What a training was given, as its MLflow run shows it: the data set, its digest, counts, and what must be known."""

import logging
import warnings
from dataclasses import asdict

import mlflow
import pandas as pd
from mlflow.data.pandas_dataset import from_pandas

from traffic.length_log import LengthLog
from traffic.notes.cut_prompts import cut_note
from traffic.notes.unknown_tokens import SAMPLED_PROMPTS, unknown_note
from training.artefact.export import Splits
from training.config import TrainingConfig
from training.network.encoder import load_tokenizer

logger = logging.getLogger(__name__)

NOTES_FILE = "log_notes.txt"
"""What a user should know of the length log, in the run."""


def log_data(config: TrainingConfig, log: LengthLog, splits: Splits) -> None:
    """Log the dataset as an input, its digest and the counts of its rows."""
    frame = pd.DataFrame({"prompt": log.prompts, "output_tokens": log.output_tokens, "split": log.splits})
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The specified dataset source can be interpreted in multiple ways")
        dataset = from_pandas(frame, str(config.lengths), "output_tokens", config.lengths.stem, log.digest)
    mlflow.log_input(dataset, context="training")
    mlflow.log_params(
        {"data_digest": log.digest} | {f"log_{name}": count for name, count in asdict(log.counts).items()}
    )
    notes = (*log.notes, *splits.notes, *_unread(config, log))
    if notes:
        mlflow.log_text("".join(f"{note}\n" for note in notes), NOTES_FILE)
    mlflow.log_params(
        {
            "used_train_prompts": len(splits.train),
            "used_unlabelled_prompts": len(splits.unlabelled),
            "used_validation_prompts": len(splits.validation),
            "used_test_prompts": len(splits.test),
            "test_prompts_in_log": splits.test_prompts_in_log,
        }
    )


def _unread(config: TrainingConfig, log: LengthLog) -> list[str]:
    """What is said of prompts that are not read, or not whole; the first ones by their hashes are as good as any."""
    some, tokenizer = log.prompts[:SAMPLED_PROMPTS], load_tokenizer(config.encoder)
    notes = (unknown_note(some, tokenizer, config.encoder), cut_note(some, tokenizer, config.max_tokens))
    said = [note for note in notes if note is not None]
    for note in said:
        logger.warning("%s", note)
    return said
