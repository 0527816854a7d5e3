"""The server without BentoML, with two routes for tests: what priorities reached the engine, and another policy.

`python -m tests.engine_host PORT` with the server's settings in the environment.
"""

import asyncio
import signal
import sys
from dataclasses import asdict
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from registry.tracking import configure_tracking
from serving.config import load_settings
from serving.hosts.server import Server, run_server
from serving.request_stages import HTTP_REQUEST


class Spy:
    """Sees each request at the last step before it leaves for the engine's process, and in which step it comes back."""

    def __init__(self, server: Server) -> None:
        self._prioritiser = server.prioritiser
        self._requests: dict[str, dict[str, Any]] = {}
        self._num_steps = 0
        core, outputs = server.client.engine_core, server.client.output_processor
        self._add_request, core.add_request_async = core.add_request_async, self._see_request
        self._process_outputs, outputs.process_outputs = outputs.process_outputs, self._see_outputs
        server.app.router.routes[:0] = [
            Route("/test/requests", self.requests),
            Route("/test/reset", self.reset, methods=["POST"]),
            Route("/test/policy", self.policy, methods=["POST"]),
        ]

    async def _see_request(self, request: Any) -> None:
        incoming = HTTP_REQUEST.get()
        arrival_us = incoming.arrival_us if incoming else None
        seen = {
            "prompt_tokens": len(request.prompt_token_ids or ()),
            "priority": request.priority,
            "arrival_us": arrival_us,
            "finished_in_step": None,
        }
        self._requests[request.request_id] = seen
        await self._add_request(request)

    def _see_outputs(self, outputs: list[Any], *others: Any, **named: Any) -> Any:
        self._num_steps += 1
        for output in outputs:
            if output.finished and output.request_id in self._requests:
                self._requests[output.request_id]["finished_in_step"] = self._num_steps
        return self._process_outputs(outputs, *others, **named)

    async def requests(self, _: Request) -> Response:
        """Engine requests since the last reset, as they reached the engine."""
        return JSONResponse(list(self._requests.values()))

    async def reset(self, _: Request) -> Response:
        """Forget what was seen."""
        self._requests = {}
        return JSONResponse({})

    async def policy(self, request: Request) -> Response:
        """Change some fields of the policy; answers with what it was."""
        policy = self._prioritiser.policy
        before = asdict(policy)
        for name, value in (await request.json()).items():
            setattr(policy, name, value)
        return JSONResponse(before)


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
