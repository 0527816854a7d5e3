"""How long BentoML's HTTP server keeps idle connections: it has a flag for that, `--timeout-keep-alive`, no setting."""

import logging
import signal

import uvicorn

logger = logging.getLogger(__name__)

BENTOML_KEEP_ALIVE_S = 5
"""BentoML's own limit, which a proxy in front usually outlasts."""


def keep_alive(limit_s: int) -> None:
    """Let connections that come from now on stay open for this long, unless `--timeout-keep-alive` said otherwise.

    The HTTP server is known by its handler of the stop signals, so this comes before anyone else handles them.
    """
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    if not isinstance(server, uvicorn.Server):
        logger.warning("The HTTP server is not uvicorn, so PARS_KEEP_ALIVE_S has no effect.")
    elif server.config.timeout_keep_alive == BENTOML_KEEP_ALIVE_S:
        server.config.timeout_keep_alive = limit_s
