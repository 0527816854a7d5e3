"""What a text alone says of itself, in time that does not depend on its length. Pure."""

from math import log, log1p

TEXT_FEATURES = ("log_text_tokens", "log_turns", "code_share")

READ_CHARACTERS = 4096
"""Of a longer text the head and the tail tell what it is made of."""
TURN_CHARACTERS = 65_536
"""Of a longer text the turns are counted in its head and its tail."""
ASCII = bytes(range(128))
ASCII_PER_TOKEN, OTHER_BYTES_PER_TOKEN = 4.0, 3.0
"""What usual tokenizers make a token of: four letters, or one Chinese character, which has three bytes."""
CODE_MARKS = b"{}[]()<>;=_`#\\/*+|&$"
TURNS = ("user: ", "assistant: ")
"""How turns begin in a rendered conversation (`registry.request`)."""


def text_features(text: str) -> tuple[float, float, float]:
    """In the order of `TEXT_FEATURES`: log tokens, log turns, and the share of bytes that are usual in code alone.

    Tokens are estimated, since each tokenizer counts others and every place must say the same.
    """
    read = _head_and_tail(text, READ_CHARACTERS)
    raw = read.encode("utf-8", "surrogatepass")
    others = len(raw.translate(None, ASCII))
    tokens = (len(raw) - others) / ASCII_PER_TOKEN + others / OTHER_BYTES_PER_TOKEN
    code = len(raw) - len(raw.translate(None, CODE_MARKS))
    return log1p(tokens * len(text) / max(len(read), 1)), log(_turns(text)), code / max(len(raw), 1)


def _turns(text: str) -> int:
    read = _head_and_tail(text, TURN_CHARACTERS)
    return max(1, sum(read.startswith(turn) + read.count(f"\n\n{turn}") for turn in TURNS))


def _head_and_tail(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room // 2] + text[-(room // 2) :]
