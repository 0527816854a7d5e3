"""Where a request comes from: a tenant and a template, as keyed digests. No text is kept.

The tenant is who holds the API key. What a body says of its user can be made up, or be another's, so it counts for
nothing; behind a gateway with one key all are one tenant.
"""

from registry.request import Conversation, UnrankableContent
from serving.api_bodies import View
from serving.journal.identities import system_prompt_of
from serving.journal.keys import Keys
from serving.origin import Origin

MOST_CHARACTERS = 65_536
"""Of a system prompt, or of tools, that are looked at: what they begin with tells them from others."""


def origin_of(credential: str, conversation: Conversation | None, view: View, keys: Keys) -> Origin:
    """The tenant with this credential, and its template: the system prompt and the tools, whatever the user says.

    Raises:
        Exception: of any kind, over a chat in a form that nobody expected.
    """
    system_prompt = (system_prompt_of(conversation) or "") if conversation else ""
    tools = "" if isinstance(view, UnrankableContent) else view.tools
    template = f"{system_prompt[:MOST_CHARACTERS]}\0{tools[:MOST_CHARACTERS]}"
    return Origin(
        keys.of("tenant", credential) if credential else "",
        keys.of("system", template) if len(template) > 1 else "",
    )
