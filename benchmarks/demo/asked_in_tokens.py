"""What the law reads of a request, told from the tokens of its prompt: the other way round than the chat template."""

import re
from collections.abc import Sequence
from typing import Any

from benchmarks.demo.length_law import Asked

LAST_USER, ANSWER = "user : ", " assistant :"
"""What the chat template puts before the last message and behind it, in word pieces."""
EFFORT = re.compile(r"^effort : (\w+)")
TOOL = re.compile(r"\btool : ([a-z]\w*(?: _ \w+)*) :")
"""The first line of a prompt whose request says something of it, and the line of each tool."""


def asked_of(tokenizer: Any, prompt_ids: Sequence[int], is_json: bool = False) -> Asked:
    """What a prompt asks for, or a chat's last message of a user, with what stands before it."""
    pieces = " ".join(map(tokenizer.id_to_token, prompt_ids)).replace(" ##", "")
    before, _, last = pieces.rpartition(LAST_USER)
    effort = EFFORT.match(before)
    return Asked(
        text=last.removesuffix(ANSWER),
        system=before,
        effort=effort[1] if effort else "",
        tools=tuple(name.replace(" _ ", "_") for name in TOOL.findall(before)),
        is_json=is_json,
    )
