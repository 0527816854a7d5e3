"""What ends a replay."""


class ReplayError(RuntimeError):
    """A replay whose figures would mean nothing; the message says why."""
