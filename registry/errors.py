"""What ends a command in one sentence instead of a traceback. Every room's own errors come of these."""


class UserError(Exception):
    """A mistake that a user or an operator can mend; one sentence: the rule, the value received and the next step."""


class InvalidInput(UserError):
    """A setting, a file or a value in it that cannot be used."""
