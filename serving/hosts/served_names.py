"""The model names that an engine answers to, and whether the settings' rankers are for some of them."""

import os
from argparse import Namespace

from serving.config import Settings, SettingsError

ADAPTERS_MAY_COME = "VLLM_ALLOW_RUNTIME_LORA_UPDATING"
"""vLLM's own variable: clients may load adapters, so that any name may come to be served."""


def served_names(args: Namespace) -> list[str]:
    """Names by vLLM's arguments, the default first: `--served-model-name`, or else `--model`; then LoRA adapters."""
    return [*(args.served_model_name or [args.model]), *(adapter.name for adapter in args.lora_modules or [])]


def check_rankers(settings: Settings, args: Namespace) -> None:
    """Refuse a ranker for a name that is not served: it would never rank, and nobody would notice.

    Raises:
        SettingsError: with the names that are served.
    """
    if os.environ.get(ADAPTERS_MAY_COME, "").strip().lower() in ("1", "true"):
        return
    served = served_names(args)
    strangers = [name for name in settings.rankers if name not in served]
    if strangers:
        raise SettingsError(
            f"PARS_RANKERS must name models that are served ({', '.join(served)}), but got {', '.join(strangers)};"
            " serve them with vLLM's --served-model-name or --lora-modules."
        )
