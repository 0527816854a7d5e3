"""Where ranker versions live: MLflow's model registry. What a running server asks of it is in `registry/watch.py`.

Aliases: `champion` is served, `challenger` is proposed, `previous_champion` is what a rollback brings back.
"""

from registry.store.aliases import (
    CHALLENGER,
    CHAMPION,
    PREVIOUS_CHAMPION,
    alias_version,
    promote,
    proposed_version,
    rollback,
)
from registry.store.downloads import load_ranker, ranker_folder
from registry.store.registered_models import (
    ORDERING_TAG,
    TARGET_LLM_TAG,
    RegistryError,
    check_owner,
    find_model,
    model_name,
    switch_ordering,
    tag_model,
)
from registry.store.registration import register

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "ORDERING_TAG",
    "PREVIOUS_CHAMPION",
    "TARGET_LLM_TAG",
    "RegistryError",
    "alias_version",
    "check_owner",
    "find_model",
    "load_ranker",
    "model_name",
    "promote",
    "proposed_version",
    "ranker_folder",
    "register",
    "rollback",
    "switch_ordering",
    "tag_model",
]
