"""Named sets of settings."""

from collections.abc import Mapping
from typing import Any, Literal

Preset = Literal["default", "paper"]

PRESETS: dict[Preset, Mapping[str, Any]] = {
    "default": {},
    # The recipe of arXiv 2510.03243, as far as it is known. The clipping of gradients and the straight fall of the
    # learning rate after the warm-up are this package's own.
    "paper": {
        "loss": "margin_ranking",
        "margin": 1.0,
        "pairing": "sampled",
        "partners": 10,
        "min_length_difference": 0.2,
        "pair_weighting": "none",
        "batch_pairs": 128,
        "epochs": 3,
        "learning_rate": 2e-5,
        "warm_up": 0.1,
        "weight_decay": 0.01,
        "word_embeddings": "trained",
        "max_tokens": 128,
        "features": "off",
        "soup": 1,
    },
}
