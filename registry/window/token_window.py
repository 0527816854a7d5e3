"""From a request to the token ids that a network reads of it."""

from collections.abc import Mapping
from typing import Literal, TypeVar, get_args

from tokenizers import Tokenizer

from registry.keyed_cache import KeyedCache
from registry.window.parts import Parts, parts_of

Items = TypeVar("Items", str, list[int])

TextRendering = Literal["head-tail-1", "last-user-first-1"]
"""Each name is a way from a request to ids for good. `head-tail-1` cuts the middle out of the whole text, and knows no
tools; it is what rankers of version 0.1.0 were trained with."""
TEXT_RENDERING: TextRendering = "last-user-first-1"
"""Of new rankers. It stands in every card, so that each is served with the one that it was trained with."""
TEXT_RENDERINGS: tuple[TextRendering, ...] = get_args(TextRendering)

CHARACTERS_PER_TOKEN = 16
"""More than any ordinary token has: what is clipped by characters would not have survived the clip by tokens."""

EIGHTHS: Mapping[str, int] = {"asked": 4, "system": 2, "tools": 1, "after": 1, "before": 0}
"""The parts in the order of who is first in line, and how much of the window each may have in any case."""
SHARED = ("system", "tools")
"""Parts that many requests have in common."""
SHARED_TEXTS = 1024
"""Of so many the ids are kept: 5 MB where a network reads 128 tokens."""


class TokenWindow:
    """What a network of `max_tokens` reads. Safe from any thread.

    A text that fits is read whole. Of a longer one each part keeps its head and its tail, since instructions stand at
    either end: the last user message first, then the system prompt and the tools, then what tools have answered since,
    then earlier turns; and each but the last has a share that no other part takes from it. The clip by characters comes
    first, and makes a prompt of a megabyte cost no more than one of a page.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        max_tokens: int,
        max_characters: int | None = None,
        rendering: TextRendering = TEXT_RENDERING,
        shared_texts: int = SHARED_TEXTS,
    ) -> None:
        """`max_tokens` count special tokens too; of a part no more than `max_characters` are looked at."""
        special: list[int] = tokenizer.encode("").ids
        self._tokenizer = tokenizer
        self._begin, self._end = special[: len(special) // 2], special[len(special) // 2 :]
        self._room = max_tokens - tokenizer.num_special_tokens_to_add(is_pair=False)
        self._characters = max_characters or self._room * CHARACTERS_PER_TOKEN
        self._knows_parts = rendering != "head-tail-1"
        self._shared = KeyedCache[list[int]](shared_texts)

    def ids(self, text: str, tools: str = "") -> list[int]:
        """Token ids, special tokens included."""
        parts = parts_of(text, tools) if self._knows_parts else Parts(asked=text)
        ids = {name: self._ids_of(name, part) for name, part in self._clipped(parts).items() if part}
        tokens = allotted({name: len(its) for name, its in ids.items()}, self._room)
        read = [one for name, its in ids.items() for one in head_and_tail(its, tokens[name])]
        return [*self._begin, *read, *self._end]

    def _clipped(self, parts: Parts) -> dict[str, str]:
        """The ends of each part; those of one that many requests share do not depend on the rest of a request."""
        texts = parts._asdict()
        own = allotted({name: len(text) for name, text in texts.items() if name not in SHARED}, self._characters)
        return {name: head_and_tail(text, own.get(name, self._characters)) for name, text in texts.items()}

    def _ids_of(self, name: str, text: str) -> list[int]:
        whole = text.encode("utf-8", "replace")  # lone surrogates
        if name not in SHARED:
            return self._encoded(whole)
        known = self._shared.get(whole)
        if known is None:
            known = head_and_tail(self._encoded(whole), self._room)  # no window keeps more of it
            self._shared.put(whole, known)
        return known

    def _encoded(self, whole: bytes) -> list[int]:
        ids: list[int] = self._tokenizer.encode(whole.decode(), add_special_tokens=False).ids
        return ids


def allotted(lengths: Mapping[str, int], room: int) -> dict[str, int]:
    """How much of the room each part gets: its eighths at most at first, then what is left, first come first served."""
    line = [name for name in EIGHTHS if name in lengths]
    kept = {name: min(lengths[name], room * EIGHTHS[name] // 8) for name in line}
    for name in line:
        kept[name] = min(lengths[name], kept[name] + room - sum(kept.values()))
    return kept


def head_and_tail(items: Items, room: int) -> Items:
    """The items, or where there is not room for all, those at either end."""
    if len(items) <= room:
        return items
    tail = room // 2
    return items[: room - tail] + items[len(items) - tail :]
