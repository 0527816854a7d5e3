"""A cell that cannot be used."""

VALUE_CHARACTERS = 60
"""What an error shows of a value: enough to find it."""


class BadCell(Exception):
    """A value that breaks a rule, which is a whole first half of a sentence."""

    def __init__(self, rule: str, value: object, column: str) -> None:
        super().__init__(rule)
        self.rule = rule
        self.value = str(value)[:VALUE_CHARACTERS]
        self.column = column
