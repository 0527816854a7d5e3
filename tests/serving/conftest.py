"""A ranking whose ranker is in the test's hands (two sequences in the engine); a client of the engine with a spy."""

from collections.abc import AsyncIterator

import httpx
import pytest

from serving.ranking.load import EngineLoad
from tests.conftest import API_KEY
from tests.servers import RunningServer
from tests.serving.fakes import FakeRanker, KeptSeats


@pytest.fixture
def ranker() -> FakeRanker:
    return FakeRanker()


@pytest.fixture
def load() -> EngineLoad:
    return EngineLoad(max_num_seqs=2)


@pytest.fixture
async def queue(ranker: FakeRanker, load: EngineLoad) -> AsyncIterator[KeptSeats]:
    queue = KeptSeats(lambda: ranker, load, backlog_s=0.5)
    yield queue
    ranker.may_go_on.set()
    queue.close()


@pytest.fixture
async def client(engine: RunningServer) -> AsyncIterator[httpx.AsyncClient]:
    async with engine.client(headers={"Authorization": f"Bearer {API_KEY}"}) as client:
        await client.post("/test/reset")
        yield client
