"""The settings of requests and connections, whoever ranks."""

from pydantic import Field
from pydantic_settings import BaseSettings


class HttpSettings(BaseSettings):
    """What may come in, and how long it may take."""

    max_body_bytes: int = Field(4 * 1024 * 1024, ge=1)
    """Larger bodies (images, audio, long contexts) are passed on as they come, but not read: their requests are not
    ranked, and take the place of a long one."""
    request_timeout_s: float = Field(3600.0, gt=0)
    """A non-streamed answer that takes longer ends in 504; it must leave room for patience."""
    keep_alive_s: int = Field(75, ge=1)
    """How long an idle connection stays open: longer than a proxy in front keeps it, usually 60 s, or the proxy sends
    into a closing one."""
    drain_s: float = Field(25.0, ge=0)
    """After SIGTERM, how long running requests may take to finish. Whoever sends SIGKILL must wait 20 s longer."""
