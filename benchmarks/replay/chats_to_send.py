"""Which prompts of a replay are sent as chat messages."""

from collections.abc import Mapping, Sequence

from benchmarks.endpoint.endpoint import NO_CHATS
from benchmarks.replay.config import ReplayConfig
from registry.request import Conversation
from traffic.chats import read_chats


def chats_to_send(config: ReplayConfig, prompts: Sequence[str]) -> Mapping[str, Conversation]:
    """The messages of each prompt that is sent as a chat; the others are sent as completions.

    Raises:
        InvalidInput: the log cannot be read.
    """
    if config.api == "completions":
        return NO_CHATS
    recorded = read_chats(config, prompts)
    if config.api == "auto":
        return recorded
    return {prompt: recorded.get(prompt, [{"role": "user", "content": prompt}]) for prompt in prompts}
