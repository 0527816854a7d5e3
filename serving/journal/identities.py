"""Who asked and in what conversation, as far as a request says so itself, in the fields that APIs have for it. Pure."""

from collections.abc import Mapping
from typing import Any

from registry.request import Conversation, content_text

SYSTEM_ROLES = frozenset({"system", "developer"})
TENANT_FIELDS = ("safety_identifier", "user")
"""OpenAI's names, the new one first; Anthropic's is `metadata.user_id`."""


def tenant_of(body: Any) -> str | None:
    """On whose behalf a request was sent."""
    if not isinstance(body, Mapping):
        return None
    named = (body.get(field) for field in TENANT_FIELDS)
    return _first_text(*named, _nested(body, "metadata", "user_id"))


def session_of(body: Any) -> str | None:
    """Which conversation or agent's run a request belongs to."""
    if not isinstance(body, Mapping):
        return None
    conversation = body.get("conversation")
    return _first_text(
        body.get("session_id"),
        _nested(body, "metadata", "session_id"),
        _nested(body, "vllm_xargs", "session_id"),
        conversation,
        _nested(body, "conversation", "id"),
    )


def system_prompt_of(conversation: Conversation) -> str | None:
    """The text of the turns at the beginning that are not the user's."""
    texts = []
    for turn in conversation:
        if turn.get("role") not in SYSTEM_ROLES:
            break
        texts.append(content_text(turn.get("content")))
    return "\n".join(texts) or None


def _nested(body: Mapping[str, Any], outer: str, inner: str) -> Any:
    value = body.get(outer)
    return value.get(inner) if isinstance(value, Mapping) else None


def _first_text(*values: Any) -> str | None:
    return next((value for value in values if isinstance(value, str) and value), None)
