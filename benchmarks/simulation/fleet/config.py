"""Settings of a fleet. The command line and MLproject read their defaults from here."""

from dataclasses import dataclass

from benchmarks.simulation.config import SimulationConfig
from benchmarks.simulation.fleet.routers import RouterName
from registry.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class FleetConfig(SimulationConfig):
    """A simulation with several replicas."""

    policies: str = "fcfs,noise"
    """As of a simulation; each is run under each router."""
    replicas: int = 4
    """Engines."""
    routers: tuple[RouterName, ...] = ("round_robin", "least_loaded", "length_aware")
    """Separated by commas. `fcfs` under the first one is what all is compared with."""
    groups: int = 4
    """Groups of replicas by predicted length of prompt and answer together, of the router length_aware."""
    poll_s: float = 0.5
    """How often a router learns what was answered."""
    processes: int = 0
    """Processes that share the replicas; 0 is one a core."""
    low_load_requests: int = 0
    """Requests that are also sent one at a time; all replicas are started once more for each policy and router."""
    repeats: int = 1
    """Runs of each policy under each router; every second one sends the requests in the opposite order."""

    def __post_init__(self) -> None:
        """Refuse what is no fleet."""
        super().__post_init__()
        for name in ("replicas", "groups"):
            if getattr(self, name) < 1:
                raise InvalidInput(f"{name} must be at least 1, but got {getattr(self, name)}.")
        if not self.routers or not self.poll_s > 0 or self.processes < 0:
            raise InvalidInput(
                "a fleet needs a router, poll_s above 0 and processes of at least 0, but got"
                f" {self.routers}, {self.poll_s} and {self.processes}."
            )
