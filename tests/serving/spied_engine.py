"""The engine with a spy before it (`tests/engine_host.py`): what has reached it, and under which policy."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx


async def arrived(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """What has reached the engine in this test, in order."""
    requests: list[dict[str, Any]] = (await client.get("/test/requests")).json()
    return requests


@asynccontextmanager
async def policy(client: httpx.AsyncClient, **changes: object) -> AsyncIterator[None]:
    """Another policy of priorities for a while."""
    before = (await client.post("/test/policy", json=changes)).json()
    yield
    await client.post("/test/policy", json=before)
