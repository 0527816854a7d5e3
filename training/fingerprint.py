"""What decides the outcome of a training: two that agree on it can share a study or a checkpoint."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from registry.artefact.files import WEIGHTS_FILE, sha256_of
from registry.errors import InvalidInput
from training.config import TrainingConfig

WITHOUT_EFFECT = ("lengths", "storage", "study", "checkpoint", "store_retry_s")
"""Settings that only say where things lie; the digest of the log stands for its path."""


def settings_of(config: TrainingConfig, data_digest: str) -> dict[str, Any]:
    """Every setting with an effect and the digest of the data, as plain JSON values.

    `init_from`, if given, is a local folder by now; the digest of its weights stands for it.
    """
    settings = {name: value for name, value in asdict(config).items() if name not in WITHOUT_EFFECT}
    if config.init_from is not None:
        settings["init_from"] = sha256_of(Path(config.init_from) / WEIGHTS_FILE)
    plain: dict[str, Any] = json.loads(json.dumps(settings, default=str))
    return plain | {"data_digest": data_digest}


def require_same(owner: str, there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    """Refuse to go on with what another training began.

    Raises:
        InvalidInput: names the settings that differ.
    """
    different = [name for name in sorted({*there, *here}) if there.get(name) != here.get(name)]
    if different:
        values = ", ".join(f"{name}={there.get(name)!r} (now {here.get(name)!r})" for name in different)
        raise InvalidInput(
            f"{owner} belongs to one training with one data, but was begun with {values}; repeat those or name another."
        )
