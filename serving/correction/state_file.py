"""What the corrections know, on disk: keyed digests and numbers, so that a restart does not begin anew."""

import json
import logging
import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from secrets import token_hex
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from serving.correction.censored_mean import FadingSum
from serving.correction.members import MOST_TEMPLATES, MOST_TENANTS, Member, Tenant
from serving.correction.target_correction import TargetCorrection

logger = logging.getLogger(__name__)

STATE_FILE = "state.json"
MOST_BYTES = 16 * 1024 * 1024
"""A larger file is not ours."""
Known = tuple[Annotated[float, Field(ge=0, le=1e6)], Annotated[float, Field(ge=-1e7, le=1e7)]]
"""Weight and total of what was seen."""


class _Tenant(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    seen: Known
    templates: list[tuple[str, Known]] = Field(max_length=MOST_TEMPLATES)
    """What is known of each; the latest last."""


class _Target(BaseModel):
    model_config = ConfigDict(extra="forbid")

    digest: str
    tenants: list[_Tenant] = Field(max_length=2 * MOST_TENANTS)


class _State(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int = Field(1, ge=1, le=1)
    targets: dict[str, _Target]


def write_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write it whole or not at all, for its owner alone.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.stem}-{token_hex(4)}.new")  # several servers may write here
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(state, file)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def state_of(targets: Mapping[str, TargetCorrection]) -> dict[str, Any]:
    """All that is known, as it is now: some milliseconds where ten thousand origins are known."""
    return {
        "version": 1,
        "targets": {
            name: {
                "digest": target.digest,
                "tenants": [_tenant_state(tenant, one) for tenant, one in target.tenants.items()],
            }
            for name, target in targets.items()
        },
    }


def read_state(path: Path, clock_s: Callable[[], float]) -> dict[str, TargetCorrection]:
    """What was known; nothing where there is no file, or one that nobody wrote here."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError("it is too large")
        state = _State.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError, ValueError, json.JSONDecodeError) as error:
        logger.warning("The correction begins anew, because %s cannot be read (%s).", path, type(error).__name__)
        return {}
    return {name: _target(one, clock_s) for name, one in state.targets.items()}


def _tenant_state(name: str, tenant: Tenant) -> dict[str, Any]:
    templates = [(template, _known(one.seen)) for template, one in tenant.templates.items()]
    return {"name": name, "seen": _known(tenant.whole.seen), "templates": templates}


def _target(state: _Target, clock_s: Callable[[], float]) -> TargetCorrection:
    target = TargetCorrection(state.digest, clock_s)
    for one in state.tenants:
        templates = OrderedDict((template, Member(seen=FadingSum(*known))) for template, known in one.templates)
        target.tenants.put(one.name, Tenant(Member(seen=FadingSum(*one.seen)), templates))
    target.look()
    return target


def _known(seen: FadingSum) -> tuple[float, float]:
    return seen.weight, seen.total
