"""The settings of the gate. The command line and MLproject read their defaults from here."""

from dataclasses import dataclass
from math import isfinite

from benchmarks.simulation.engine.engine_settings import EngineSettings, engine_of
from loop.fresh.config import FreshSource
from registry.artefact.card import REFERENCE_TOLERANCE
from registry.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """What a challenger must show. Of two rankers every difference is that on the same requests, session by session."""

    tau_margin: float = 0.04
    """How much worse than the champion's the challenger's tau-b may be: with `confidence` it must be less, of each tier
    that both have. Few requests show that only of a challenger that is better."""
    gain_margin: float = 0.05
    """The same of the static gain in s/token."""
    calibration_margin: float = 0.1
    """The same of the mean |log(predicted ÷ true)|: 0.1 is a tenth of the length."""
    tenant_margin: float = 0.05
    """No tenant may surely be worse off by more than this in tau-b, or in how its requests stand among all others."""
    simulation_margin: float = 0.05
    """By what share the seconds per token may surely rise in the simulation."""
    memory_margin: float = 0.25
    """By how much more tau-b may surely be higher on requests that the challenger could have learned by heart, than on
    those that it could not."""
    confidence: float = 0.95
    """Of each one-sided bound; that of a tenant is corrected for the number of tenants."""
    least_requests: int = 200
    """Requests that neither ranker was trained on, without which a champion is not replaced."""
    least_tenant_requests: int = 50
    """A tenant with fewer of them is not looked at alone."""
    encoder_ms: float = 25.0
    """Milliseconds that the encoder may take for a request on this machine."""
    instant_ms: float = 1.0
    """The same of the instant tier, which stops the server's event loop."""
    slowdown: float = 2.0
    """How many times as long as the champion's a tier may take; below a fifth of the bounds above nobody minds."""
    unreadable_share: float = 0.01
    """Share of the requests that a tier may fail to read."""
    reference_error: float = REFERENCE_TOLERANCE
    """How far its scores may lie from those of its training, in spreads of them."""

    def check_thresholds(self) -> None:
        """Refuse what holds nothing back, or everything.

        Raises:
            InvalidInput: names the setting.
        """
        for name in Thresholds.__dataclass_fields__:
            value = getattr(self, name)
            if not (isfinite(value) and value >= 0):
                raise InvalidInput(f"{name} must be at least 0, but got {value}.")
        if not 0.5 < self.confidence < 1:
            raise InvalidInput(f"confidence must be above 0.5 and below 1, but got {self.confidence}.")
        if self.slowdown < 1:
            raise InvalidInput(f"slowdown must be at least 1, but got {self.slowdown}.")


@dataclass(frozen=True, kw_only=True)
class Judging(EngineSettings, Thresholds):
    """How a challenger is judged, whichever it is: what it must show, and on which engine its gain is simulated."""

    cost: str = "cpu-2-cores-llama-48"
    """What a step of your engine costs, for the simulation of the recent arrivals: a file of measure-engine, or
    ready-made coefficients by their name."""
    simulated_tokens: int = 200_000
    """Output tokens that are simulated of the busiest stretch, under each order; 0 simulates nothing."""

    def check_judging(self) -> None:
        """Refuse what is no engine and no threshold.

        Raises:
            InvalidInput: names the setting.
        """
        EngineSettings.__post_init__(self)
        self.check_thresholds()
        if self.simulated_tokens < 0:
            raise InvalidInput(f"simulated_tokens must be at least 0, but got {self.simulated_tokens}.")


@dataclass(frozen=True, kw_only=True)
class GateConfig(FreshSource, Judging):
    """Which version, on which requests, and what it must show.

    Without journal and log those of the test split of its training's log, if that is still there and the same.
    """

    version: str | None = None
    """Version to judge and serve; the challenger unless given."""
    force: str | None = None
    """A reason for which it is promoted whatever is found; recorded with the version."""
    seed: int = 0
    """Draws of many sessions those that an interval leaves out together, and of many test prompts some."""

    def __post_init__(self) -> None:
        """Refuse what is no version, no reason, and no threshold."""
        FreshSource.__post_init__(self)
        self.check_judging()
        if self.version is not None and not self.version.isdecimal():
            raise InvalidInput(f"a version is a whole number, but got {self.version!r}.")
        if self.force is not None and not self.force.strip():
            raise InvalidInput(f"force must say why, but got {self.force!r}; give force=REASON.")

    @property
    def engine(self) -> EngineSettings:
        """The engine alone."""
        return engine_of(self)

    @property
    def level(self) -> float:
        """Of the two-sided interval whose ends are one-sided bounds of the `confidence`."""
        return 2 * self.confidence - 1
