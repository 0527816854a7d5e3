"""How an answer ended, in every word that engines, gateways and providers have for it. Pure."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple

Ending = Literal["ended", "cut", "aborted"]
"""By itself; at a limit of tokens; or before either, by a client, a fault or a filter."""

# The words for each, in small letters, with nothing between those of one.

CUT = """
length limit incomplete truncated cut maxtokens maxtokensreached maxoutputtokens maxcompletiontokens maxnewtokens
maxtoken maxlength maxlen maxlengthreached modellength modellengthexceeded maxmodellen modelcontextwindowexceeded
contextlength contextlengthexceeded contextwindow contextwindowexceeded maxcontextlength contextlimit tokenlimit
tokenlimitreached tokenslimit outputlimit outputtokenlimit lengthlimit lengthcapped lengthexceeded errorlimit maxtime
budgetexceeded thinkingbudgetexceeded pauseturn"""

ABORTED = """
abort aborted cancel canceled cancelled clientcancelled clientdisconnect clientdisconnected disconnect
disconnected usercancel usercanceled usercancelled interrupted interrupt killed error errored failed failure fail
exception internalerror servererror timeout timedout requesttimeout deadlineexceeded expired preempted evicted
overloaded contentfilter contentfiltered contentfiltering contentpolicy errortoxic safety imagesafety recitation
language blocklist prohibitedcontent spii sensitive guardrail guardrailintervened guardrails moderation refusal refused
blocked malformedfunctioncall malformedresponse malformedtoolcall malformedtooluse malformedmodeloutput notfinished
inprogress repetition unload load"""

ENDED = """
stop stopped stopstring stopstrings stopword stopwords stopsequence stopsequences stoptoken stoptokens
stopcriteriamet eos eostoken eosid endid endturn endofturn endoftext endofsequence endoflist end ended done finish
finished complete completed success succeeded natural toolcall toolcalls tooluse tools functioncall functioncalls
unexpectedtoolcall matched ok ragquerywhenragdisabled"""

_WORDS: Mapping[str, Ending] = {
    **dict.fromkeys(ENDED.split(), "ended"),
    **dict.fromkeys(ABORTED.split(), "aborted"),
    **dict.fromkeys(CUT.split(), "cut"),
}
_GRAVITY: tuple[Ending, ...] = ("cut", "aborted", "ended")
_KEYS = ("type", "reason", "finish_reason", "finishReason", "stop_reason", "kind", "value", "name", "status")
_PREFIXES = ("finishreason", "stopreason", "finishedreason")
_UNSAID = frozenset({"", "none", "null", "unknown", "unspecified", "other"})


class ReadEnding(NamedTuple):
    """What a cell says of how an answer ended."""

    ending: Ending
    is_said: bool
    """Whether it says anything."""
    unknown_word: str | None = None
    """The word, where it is none of ours; such an answer counts as ended."""


UNSAID = ReadEnding("ended", False)


def ending_of(value: Any) -> ReadEnding:
    """How an answer ended; of several reasons (one a choice) a cut one counts first, then an aborted one."""
    if value is None or value != value:
        return UNSAID
    if isinstance(value, str):
        return _of_text(value)
    if isinstance(value, Mapping):
        return ending_of(next((value[key] for key in _KEYS if value.get(key) is not None), None))
    if isinstance(value, list | tuple):
        return min(map(ending_of, value), key=lambda one: (not one.is_said, _GRAVITY.index(one.ending)), default=UNSAID)
    return _of_text(str(value))


@lru_cache(maxsize=4096)
def _of_text(text: str) -> ReadEnding:
    if text.lstrip()[:1] in ("[", "{", '"'):
        try:
            return ending_of(json.loads(text))
        except (ValueError, RecursionError):
            return ReadEnding("ended", True, text)
    word = "".join(letter for letter in text.lower() if letter.isalnum())
    for prefix in _PREFIXES:
        word = word.removeprefix(prefix) or word
    if word in _UNSAID:
        return UNSAID
    return ReadEnding(_WORDS.get(word, "ended"), True, None if word in _WORDS else text)
