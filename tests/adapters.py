"""A LoRA adapter for the demo LLM, with random weights."""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

RANK = 8
HIDDEN = 256


def write_adapter(folder: Path) -> Path:
    """Write an adapter of the first layer's queries and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {"peft_type": "LORA", "r": RANK, "lora_alpha": 16, "target_modules": ["q_proj"], "bias": "none"}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    random = np.random.default_rng(0)
    layer = "base_model.model.model.layers.0.self_attn.q_proj"
    weights = {"lora_A": random.normal(size=(RANK, HIDDEN)), "lora_B": random.normal(size=(HIDDEN, RANK))}
    save_file(
        {f"{layer}.{name}.weight": values.astype(np.float32) for name, values in weights.items()},
        folder / "adapter_model.safetensors",
    )
    return folder
