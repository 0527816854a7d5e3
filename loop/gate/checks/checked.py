"""What a check brings: findings, figures, pictures, and what it could not look at."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from charts.chart import AnyChart
from registry.promotion import Finding


@dataclass(frozen=True, kw_only=True)
class Checked:
    """All may be empty."""

    findings: tuple[Finding, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Figures, by the names under which MLflow shows them."""
    charts: Mapping[str, AnyChart] = field(default_factory=dict)
    """By the names of their files."""
    notes: tuple[str, ...] = ()
    """What was not looked at and why, and what else must be known: sentences."""


def joined(parts: Iterable[Checked]) -> Checked:
    """What all of them bring, in their order."""
    several = list(parts)
    return Checked(
        findings=tuple(one for part in several for one in part.findings),
        metrics={name: value for part in several for name, value in part.metrics.items()},
        charts={name: one for part in several for name, one in part.charts.items()},
        notes=tuple(one for part in several for one in part.notes),
    )
