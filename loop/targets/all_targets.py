"""A line for every target LLM in the registry, whatever is broken of one of them."""

from collections.abc import Iterator
from dataclasses import replace

from mlflow.entities.model_registry import RegisteredModel

from loop.targets.config import TargetsConfig
from loop.targets.live import LiveOf, live_source
from loop.targets.registered import registered_line, registered_models
from loop.targets.target_line import TargetLine
from registry import store
from registry.runs.mlflow_failures import reason_of


def read_targets(config: TargetsConfig, now_s: float) -> list[TargetLine]:
    """What is known of each, by their names.

    Raises:
        InvalidInput: the server that was named cannot be asked.
        MlflowException: the registry cannot be.
    """
    live = live_source(config)
    return sorted(_lines(live, now_s), key=lambda line: line.target_llm.lower())


def _lines(live: LiveOf, now_s: float) -> Iterator[TargetLine]:
    for model in registered_models():
        line = _registered(model, now_s)
        try:
            yield replace(line, live=live(line.target_llm, line.champion))
        except Exception as error:  # one that cannot be judged hides no other
            yield replace(line, trouble="; ".join(filter(None, [line.trouble, f"live: {reason_of(error)}"])))


def _registered(model: RegisteredModel, now_s: float) -> TargetLine:
    try:
        return registered_line(model, now_s)
    except Exception as error:  # a version that is gone, a tag that somebody has written by hand
        name = model.tags.get(store.TARGET_LLM_TAG, model.name)
        return TargetLine(target_llm=name, trouble=reason_of(error))
