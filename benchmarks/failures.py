"""What ends a replay or a simulation."""

from registry.errors import UserError


class ReplayError(UserError, RuntimeError):
    """A replay whose figures would mean nothing; the message says why."""


class SimulationError(UserError, RuntimeError):
    """A simulation that is impossible, or whose figures would mean nothing; the message says why."""
