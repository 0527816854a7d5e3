"""The server without BentoML, with two routes for tests: what priorities reached the engine, and another policy.

`python -m tests.engine_host PORT` with the server's settings in the environment.
"""

import asyncio
import signal
import sys
from dataclasses import asdict, replace
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from registry.store import configure_tracking
from serving.config import load_settings
from serving.server import Server, run_server


class Spy:
    """Sees each request at the last step before it leaves for the engine's process."""

    def __init__(self, server: Server) -> None:
        self._prioritiser = server.prioritiser
        self._arrived: list[dict[str, Any]] = []
        self._add_request = server.client.engine_core.add_request_async
        server.client.engine_core.add_request_async = self._see
        routes = [Route("/test/arrived", self.arrived), Route("/test/policy", self.policy, methods=["POST"])]
        server.app.router.routes[:0] = routes

    async def _see(self, request: Any) -> None:
        self._arrived.append({"request_id": request.request_id, "priority": request.priority})
        await self._add_request(request)

    async def arrived(self, _: Request) -> Response:
        """Engine requests since the last look."""
        arrived, self._arrived = self._arrived, []
        return JSONResponse(arrived)

    async def policy(self, request: Request) -> Response:
        """Change some fields of the policy; answers with what it was."""
        before = self._prioritiser.policy
        self._prioritiser.policy = replace(before, **await request.json())
        return JSONResponse(asdict(before))


async def main(port: int) -> None:
    """Serve until stopped."""
    configure_tracking()
    signal.signal(signal.SIGTERM, lambda *_: None)  # else uvicorn, once it has stopped, raises it again
    async with run_server(load_settings()) as server:
        Spy(server)
        config = uvicorn.Config(server.app, host="127.0.0.1", port=port, log_level="warning", lifespan="off")
        await uvicorn.Server(config).serve()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
