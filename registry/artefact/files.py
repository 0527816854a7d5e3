"""The files of a ranker's folder, and how each is known to be the one that was registered."""

from collections.abc import Collection
from hashlib import file_digest
from pathlib import Path

from registry.artefact.card import CARD_FILE, InvalidRanker

ONNX_FILE = "ranker.onnx"
"""The encoder."""
INSTANT_FILE = "instant.onnx"
"""The tiny network beside it; version 0.1.0 made none."""
TOKENIZER_FILE = "tokenizer.json"
RANKER_FILES = (ONNX_FILE, TOKENIZER_FILE, CARD_FILE)
"""What every ranker has. Float weights are no part of what is served, or a server would download five times as much."""
WEIGHTS_FILE = "weights.safetensors"
"""Float weights, for another training to start from. Scoring does without: see `registry/artefact/weights.py`."""
PLOTS_FOLDER = "plots"
"""Pictures of how well it orders its test prompts; they go with the run."""
MOST_INSTANT_BYTES = 15_000_000
"""What a server downloads and keeps for it at most."""


def served_files(there: Collection[str]) -> tuple[str, ...]:
    """The files that a server needs, of those that are there.

    Raises:
        InvalidRanker: one is missing that every ranker has.
    """
    missing = [name for name in RANKER_FILES if name not in there]
    if missing:
        raise InvalidRanker(f"a ranker's folder holds {', '.join(missing)}, but this one has none.")
    return tuple(name for name in (*RANKER_FILES, INSTANT_FILE) if name in there)


def names_in(folder: Path) -> set[str]:
    """The names of the files of a folder."""
    return {path.name for path in folder.iterdir()}


def sha256_of(path: Path) -> str:
    """Hex digest of a file, as it stands in the card."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def check_digest(path: Path, expected: str | None) -> None:
    """Check that a file of an artefact is the one in its card.

    Raises:
        InvalidRanker: it is missing or has another digest.
    """
    if not path.is_file():
        raise InvalidRanker(f"a ranker's folder holds {path.name}, but {path.parent} has none.")
    if sha256_of(path) != expected:
        raise InvalidRanker(f"{path} is not the file that was registered: its sha256 differs from the card's.")
