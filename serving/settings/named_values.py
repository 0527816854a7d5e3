"""Settings that map names to values, as they stand in one variable. Pure."""


def pairs(given: str, form: str) -> dict[str, str]:
    """The mapping in `NAME=VALUE,NAME=VALUE`; `form` says so in an error, as `NAME=PATH`.

    Raises:
        ValueError: it has another form, or a name twice.
    """
    found = [[part.strip() for part in pair.partition("=")[::2]] for pair in given.split(",") if pair.strip()]
    if not all(name and value for name, value in found):
        raise ValueError(f"it must be like {form},{form}")
    if len({name for name, _ in found}) < len(found):
        raise ValueError("it must name each model once")
    return dict(found)
