"""What the server does unless it is told otherwise: the defaults of whatever replays or simulates it."""

from serving.config import Settings

PATIENCE_S: float = Settings.model_fields["patience_s"].default
"""How much later a request may arrive and still overtake."""
RANKING_BACKLOG_MS: float = Settings.model_fields["ranking_backlog_ms"].default
"""How long a request may be held for its ranking while the engine is full."""
