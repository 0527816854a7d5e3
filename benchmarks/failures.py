"""What ends a replay or a simulation."""


class ReplayError(RuntimeError):
    """A replay whose figures would mean nothing; the message says why."""


class SimulationError(RuntimeError):
    """A simulation that is impossible, or whose figures would mean nothing; the message says why."""
