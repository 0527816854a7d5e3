"""What is said of a journal that keeps digests of prompts instead of their texts."""

from registry.errors import InvalidInput


def keyed_note(rows: int) -> str:
    """What a user should know of rows without their texts."""
    return (
        f"{rows:,} rows of a keyed journal hold digests of their prompts, and no texts: a server with"
        " PARS_JOURNAL=text notes them too, from then on."
    )


def require_texts(rows: int, keyed_prompts: int, log: object) -> None:
    """Refuse a log for what reads texts, if none of its rows holds one because it is a keyed journal.

    Raises:
        InvalidInput: that is so.
    """
    if keyed_prompts and not rows:
        raise InvalidInput(
            f"a ranker reads texts, but {log} is a keyed journal, which holds digests instead: serve with"
            " PARS_JOURNAL=text, and use what is noted from then on."
        )
