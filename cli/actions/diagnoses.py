"""The command that says what is wrong with a server before it is one."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from registry.errors import UserError
from registry.tracking import configure_tracking
from serving.champion import time_limits
from serving.config import Settings, load_settings
from serving.doctor import machine, served
from serving.doctor.diagnosis import Check, Line, examine, report
from serving.journal.journal import folder_of


@dataclass(frozen=True, kw_only=True)
class DoctorConfig:
    """What is looked at are the settings of a server, which stand in the environment."""


def diagnose(_: DoctorConfig) -> str:
    """Look at everything that a server here would need."""
    time_limits.give_up_soon()
    registry = configure_tracking()
    checks: list[tuple[str, Check]] = [
        ("versions", machine.versions),
        ("machine", machine.processor),
        ("clock", partial(machine.clock, registry)),
    ]
    try:
        checks += _of_server(load_settings())
    except UserError as error:
        checks.append(("settings", partial(_raise, error)))
    return report(examine(checks))


def _of_server(settings: Settings) -> Iterator[tuple[str, Check]]:
    yield "settings", partial(served.settings_lines, settings)
    yield "engine", partial(served.engine, settings)
    if settings.ranking:
        yield "rankers", partial(served.rankers, settings)
    yield "journal", partial(served.journal, settings)
    yield "disk", partial(machine.disk, {"rankers": settings.cache, "journal": folder_of(settings)})


def _raise(error: UserError) -> list[Line]:
    raise error
