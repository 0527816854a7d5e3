"""What ends a retraining that has nothing to do."""

from registry.errors import UserError


class Idle(UserError):
    """Nothing is done; one sentence that says why. No error: whoever starts retrainings by a timer expects it."""
