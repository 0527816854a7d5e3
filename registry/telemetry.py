"""What the libraries would tell others, switched off: before they are imported, since some ask only then."""

import os
from collections.abc import Mapping, MutableMapping

QUIET: Mapping[str, str] = {
    "BENTOML_DO_NOT_TRACK": "True",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "ORT_DISABLE_TELEMETRY": "1",
    "VLLM_NO_USAGE_STATS": "1",
}
"""Each library wants its own word for no."""


def switch_off(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let no library call out, unless the user has said otherwise."""
    for name, value in QUIET.items():
        environment.setdefault(name, value)
