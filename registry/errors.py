"""What ends a command in one sentence instead of a traceback. Every room's own errors come of these."""

from registry.secrets import without_passwords


class UserError(Exception):
    """A mistake that a user or an operator can mend; one sentence: the rule, the value received and the next step.

    Wherever it is printed or logged, passwords in addresses are hidden.
    """

    def __str__(self) -> str:
        return without_passwords(super().__str__())


class InvalidInput(UserError):
    """A setting, a file or a value in it that cannot be used."""
