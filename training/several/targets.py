"""The target LLMs that are trained together: which a log names, and the prompts of each."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from registry import store
from registry.errors import InvalidInput
from traffic.length_log import LengthLog, read_length_log
from training.artefact.export import Splits
from training.config import TrainingConfig
from training.train import split

logger = logging.getLogger(__name__)

ALL = ("all",)


@dataclass(frozen=True)
class Target:
    """One of them."""

    config: TrainingConfig
    """A training of it alone, on its own rows."""
    name: str
    """Of its rankers in the registry."""
    log: LengthLog
    splits: Splits


def read_targets(config: TrainingConfig) -> list[Target]:
    """Read what each target LLM has answered; a prompt trains, validates or tests for all of them, by its hash.

    Where `all` are asked for, one with too few answers is left out, and named in the log.

    Raises:
        InvalidInput: one that was named has too few answers, or fewer than two are left.
        RegistryError: the name of one belongs to another target LLM.
    """
    targets = list(_readable(config))
    if len(targets) < 2:
        raise InvalidInput(
            f"models must leave at least two target LLMs to train together, but got {len(targets)}: give target_llm and"
            " model for one alone."
        )
    names = [one.name for one in targets]
    if twice := {one for one in names if names.count(one) > 1}:
        raise InvalidInput(
            f"target LLMs must differ in letters or digits, but several would be {', '.join(sorted(twice))};"
            " leave all but one of them out."
        )
    return targets


def _readable(config: TrainingConfig) -> Iterator[Target]:
    for model in _names_in(config) if config.models == ALL else config.models:
        one = config.with_values({"models": (), "target_llm": model, "model": model})
        name = store.check_owner(one.ranker_target_llm)
        try:
            log = read_length_log(one)
            yield Target(one, name, log, split(one, log))
        except InvalidInput as error:
            if config.models != ALL:
                raise InvalidInput(f"{model}: {error}") from error
            logger.warning("%s is left out: %s", model, error)


def _names_in(config: TrainingConfig) -> list[str]:
    reading = config.reading()
    for _ in reading.batches():
        pass
    if not reading.models:
        raise InvalidInput(
            f"models=all are the names in the column 'model', but {config.lengths} has none; give target_llm."
        )
    return sorted(reading.models)
