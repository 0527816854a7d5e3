"""Journal in, champion out: train on what was served, judge on the last day, promote or not, in one run."""

import logging

import mlflow

from loop.retraining.config import RetrainConfig
from loop.retraining.earlier import CHAMPION_TAG, UNTIL_TAG, WINDOW_TAG, Past, champion_text, read_past
from loop.retraining.exclusion.lease import Lease
from loop.retraining.exclusion.only_one import only_one
from loop.retraining.idle import Idle
from loop.retraining.ruling import promote_or_not
from loop.retraining.starting_weights import Start, start_from
from loop.retraining.stretch import Stretch, read_stretch
from loop.retraining.told import Retraining, told
from loop.retraining.waiting import require_due
from registry import store
from registry.runs.stored_run import stored_run
from registry.tracking import NOTE_TAG, log_parameters, name_run

logger = logging.getLogger(__name__)


def retrain(config: RetrainConfig) -> str:
    """Retrain the ranker of a target LLM, if that is due; return what was done and why.

    Whatever ends it leaves no version half-registered: one that the gate has not judged is judged by the next start.

    Raises:
        InvalidInput: the journal or the log, or a setting, cannot be used.
        RegistryError: the name belongs to another target LLM.
        LostLease: another retraining took over meanwhile; nothing was promoted.
        MlflowFailure: MLflow fails.
    """
    name = store.check_owner(config.target_llm)
    stretch = read_stretch(config)
    try:
        require_due(config, stretch, read_past(name))
        return _alone(config, name, stretch)
    except Idle as idle:
        name_run(f"retrain {config.target_llm}: nothing to do")
        return str(idle)


def _alone(config: RetrainConfig, name: str, stretch: Stretch) -> str:
    with only_one(name, config) as lease:
        past = read_past(name)  # another one may have ended just now
        require_due(config, stretch, past)
        return _in_run(config, name, stretch, past, lease)


def _in_run(config: RetrainConfig, name: str, stretch: Stretch, past: Past, lease: Lease) -> str:
    with stored_run(f"retrain {config.target_llm}") as run:
        lease.begin_run(run.info.run_id)
        log_parameters(config)
        start = start_from(config, name, past.champion)
        left_over = _left_over(config, stretch, past)
        version = left_over or _trained(config, stretch, past, start)
        lease.require()
        ruling = promote_or_not(config, version, stretch.test_days)
        champion = store.alias_version(config.target_llm)
        done = Retraining(stretch, past, start, version, left_over is not None, ruling, champion)
        mlflow.set_tag(NOTE_TAG, told(done))
    return told(done)


def _left_over(config: RetrainConfig, stretch: Stretch, past: Past) -> int | None:
    """A version that was made of the same requests, if a kill has left it without a decision."""
    there = None if config.again else past.of(stretch.digest)
    if there is None or there.is_settled:
        return None
    logger.info("version %d was made of the same requests and not judged yet; it is now.", there.number)
    return there.number


def _trained(config: RetrainConfig, stretch: Stretch, past: Past, start: Start) -> int:
    from training.train import train  # Lightning takes seconds to import

    assert config.path is not None
    training = config.training(
        config.path,
        model=stretch.model,
        since=repr(stretch.since_s),
        before=repr(stretch.test_from_s),
        **start.settings,
    )
    tags = {
        WINDOW_TAG: stretch.digest,
        UNTIL_TAG: repr(stretch.until_s),
        CHAMPION_TAG: champion_text(past.champion),
    }
    return train(training, tags).version
