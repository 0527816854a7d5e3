"""A training that was killed goes on where it stopped.

The folder holds `settings.json` and `training-0.ckpt`, of a soup one for each of its trainings. It is the user's own
scratch space, may be deleted when nothing runs, and is never part of an artefact. Lightning writes the checkpoint with
torch's pickle, in one move; it is read back with `weights_only=True`, which builds tensors and plain values and nothing
else.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint

from training.fingerprint import require_same
from training.network.batches import Batches

SETTINGS_FILE = "settings.json"


def claim(folder: Path, settings: Mapping[str, Any]) -> None:
    """Make the folder this training's, or check that it is.

    Raises:
        InvalidInput: a training with other settings or other data began there.
    """
    path = folder / SETTINGS_FILE
    if path.exists():
        require_same(f"the checkpoint folder {folder}", json.loads(path.read_text(encoding="utf-8")), settings)
        return
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings, indent=2), encoding="utf-8")


def checkpoint_in(folder: Path, member: int) -> Path | None:
    """The checkpoint of a member of the soup, if there is one."""
    path = folder / f"{_name(member)}{ModelCheckpoint.FILE_EXTENSION}"
    return path if path.exists() else None


def keeping_checkpoints(folder: Path, member: int, batches: Batches) -> list[Callback]:
    """Callbacks that save the whole state of the member's training at every validation, over the one before."""
    writer = ModelCheckpoint(
        folder,
        filename=_name(member),
        enable_version_counter=False,
        save_on_train_epoch_end=False,
        save_weights_only=False,
    )
    return [Position(batches), writer]


def _name(member: int) -> str:
    return f"training-{member}"


class Position(Callback):
    """Keeps in the checkpoint what Lightning leaves out: how many batches came, and the generators of dropout."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    def state_dict(self) -> dict[str, Any]:
        """Plain values and tensors only."""
        generators = {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state_all()}
        return {"batches": self._batches.state_dict(), "generators": generators}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Set the batches and the generators to where they were."""
        self._batches.load_state_dict(state_dict["batches"])
        torch.set_rng_state(state_dict["generators"]["cpu"])
        torch.cuda.set_rng_state_all(state_dict["generators"]["cuda"])
