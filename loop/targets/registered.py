"""What the registry says of each target LLM: by the tags of its model and of the champion's version."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from math import isfinite

import mlflow
from mlflow.entities.model_registry import RegisteredModel

from loop.targets.target_line import TargetLine
from registry import store
from registry.promotion import GATE_REASON_TAG, GATE_TAG
from registry.watch import WATCH_AT_TAG, WATCH_TAG, YESTERDAY_TAG
from serving.champion.yesterday_line import Yesterday

NO_GATE = "none"
KENDALL_TAU_B, STATIC_GAIN = "kendall_tau_b", "static_gain_s_per_token"
DAY_MS = 86_400_000.0


def registered_models() -> Iterator[RegisteredModel]:
    """All of ours, however many there are."""
    client, token = mlflow.MlflowClient(), None
    while True:
        page = client.search_registered_models("name LIKE 'pars-%'", max_results=200, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def registered_line(model: RegisteredModel, now_s: float) -> TargetLine:
    """What the registry says of one.

    Raises: what MLflow raises, or a tag's value that is none of ours.
    """
    target_llm = model.tags.get(store.TARGET_LLM_TAG, model.name)
    number = model.aliases.get(store.CHAMPION)
    of_model = {
        "target_llm": target_llm,
        "alarm": model.tags.get(WATCH_TAG),
        "alarm_at": model.tags.get(WATCH_AT_TAG),
        "yesterday": _yesterday(model.tags.get(YESTERDAY_TAG)),
    }
    if number is None:
        return TargetLine(**of_model, trouble=_no_champion(model))
    version = mlflow.MlflowClient().get_model_version(model.name, str(number))
    return TargetLine(
        **of_model,
        champion=int(version.version),
        age_days=max(now_s * 1000 - version.creation_timestamp, 0.0) / DAY_MS,
        kendall_tau_b=_number(version.tags, KENDALL_TAU_B),
        static_gain=_number(version.tags, STATIC_GAIN),
        gate=version.tags.get(GATE_TAG, NO_GATE),
        gate_reason=version.tags.get(GATE_REASON_TAG),
    )


def _no_champion(model: RegisteredModel) -> str:
    proposed = model.aliases.get(store.CHALLENGER)
    return f"no champion; version {proposed} is proposed" if proposed else "no champion"


def _number(tags: Mapping[str, str], name: str) -> float | None:
    with suppress(KeyError, ValueError):
        value = float(tags[name])
        return value if isfinite(value) else None
    return None


def _yesterday(tag: str | None) -> str | None:
    """In short; a tag of another form says nothing."""
    found = Yesterday.of_tag(tag)
    if found is None:
        return None
    if not found.is_near:
        return f"{found.day}: not to be said"
    return f"{found.day}: FCFS {found.fcfs_ratio:.2f}x ({found.fcfs_ratio_low:.2f} to {found.fcfs_ratio_high:.2f})"
