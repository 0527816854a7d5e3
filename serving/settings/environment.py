"""Which `PARS_*` variables are no settings: Kubernetes' own and retired ones are left out, any other is refused.

And what the libraries are told by variables of their own.
"""

import logging
import os
import re
from collections.abc import Iterable, Mapping, MutableMapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from registry import telemetry

logger = logging.getLogger(__name__)

PREFIX = "PARS_"

SERVICE_VARIABLE = re.compile(
    r"PARS(_[A-Z0-9_]+?)??_"
    r"(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|(?P<url>PORT)|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
"""What Kubernetes puts into every container of a namespace with a Service called `pars`, `pars-llm`, ..."""
SERVICE_URL = re.compile(r"(tcp|udp|sctp)://\S+:\d+")
"""A bare `..._PORT` is Kubernetes' if its value looks like this; a number would be somebody's mistake."""

RETIRED: Mapping[str, str] = {
    "PARS_RANKING_BUDGET_MS": "a request is no longer held while the engine could take it",
}
"""Settings of earlier versions that have no effect any more, and what there is instead, as the end of a sentence."""


def is_injected(name: str, value: str) -> bool:
    """Whether Kubernetes put this variable there, on behalf of a Service whose name begins with `pars`."""
    form = SERVICE_VARIABLE.fullmatch(name)
    return form is not None and (form["url"] is None or SERVICE_URL.fullmatch(value) is not None)


def objections(
    environment: Mapping[str, str], settings: Iterable[str], retired: Mapping[str, str] = RETIRED
) -> list[str]:
    """A sentence's part for each `PARS_*` variable that is neither a setting nor to be left out; it names the nearest.

    Args:
        environment: all variables.
        settings: names of the settings, with their prefix.
        retired: settings of earlier versions.
    """
    known = sorted(settings)
    return [
        _objection(name, known)
        for name, value in sorted(_ours(environment).items())
        if not (name.upper() in known or name.upper() in retired or is_injected(name, value))
    ]


def objection_to_value(error: Any) -> str:
    """A sentence's part for what pydantic finds wrong with a setting's value, or with all of them together."""
    if not error["loc"]:
        return str(error["ctx"]["error"])
    rule = error["msg"].removeprefix("Value error, ")
    return f"{PREFIX}{str(error['loc'][0]).upper()}: {rule[0].lower()}{rule[1:]}, but got {error['input']!r}"


def log_left_out(environment: Mapping[str, str] = os.environ, retired: Mapping[str, str] = RETIRED) -> None:
    """Say which variables are left out, and why; to be called once the process has set its logging up."""
    ours = _ours(environment)
    injected = sorted(name for name, value in ours.items() if is_injected(name, value))
    if injected:
        logger.info("Left out, since Kubernetes injects them for its Services: %s.", ", ".join(injected))
    for name in sorted(ours):
        if name.upper() in retired:
            logger.warning("%s is no setting any more and is left out: %s.", name, retired[name.upper()])


def prepare_libraries(environment: MutableMapping[str, str], llm: str, is_demo: bool) -> None:
    """Switch off what the libraries would tell others, and set what they need; what the user has said stays."""
    telemetry.switch_off(environment)
    environment.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # a server's log is no terminal
    environment.setdefault("VLLM_WORKER_MULTIPROC_METHOD", "spawn")  # a fork would break our threads
    if is_demo:
        environment.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
    if Path(llm).is_dir():
        environment.setdefault("HF_HUB_OFFLINE", "1")  # all that is needed is there


def _ours(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.upper().startswith(PREFIX)}


def _objection(name: str, known: list[str]) -> str:
    near = get_close_matches(name.upper(), known, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    return f"{name} is no setting of the server ({hint})"
