"""On the CPU the engine stands back from the process that takes requests in and ranks them."""

from tests.servers import RunningServer
from tests.serving.engine_threads import assert_engine_stands_back


def test_the_engine_stands_back_from_the_service(engine: RunningServer) -> None:
    assert_engine_stands_back(engine)
