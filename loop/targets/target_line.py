"""What is said of one target LLM."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Live:
    """What was seen of its requests lately; None where that is not known."""

    kendall_tau_b: float | None = None
    """Of uncorrected predictions against the answers."""
    static_gain: float | None = None
    """Share of the oracle's gain in s/token that the same order keeps."""
    answers: int | None = None
    answers_a_day: float | None = None
    correction: float | None = None
    """How many times longer than predicted answers are taken to be."""
    alarm: str | None = None
    """What the server's own detectors say now."""


@dataclass(frozen=True, kw_only=True)
class TargetLine:
    """All that is known; None where it is not."""

    target_llm: str
    champion: int | None = None
    age_days: float | None = None
    """Since the champion was registered."""
    kendall_tau_b: float | None = None
    """Of its test, as its card says; so the next."""
    static_gain: float | None = None
    live: Live = Live()
    alarm: str | None = None
    """What the last `watch` said, or the server."""
    alarm_at: str | None = None
    gate: str | None = None
    """How the champion became one: promoted, forced, refused; `none`: it passed no gate."""
    gate_reason: str | None = None
    yesterday: str | None = None
    """What the last `yesterday` said, in short."""
    trouble: str | None = None
    """Why more is not known."""
