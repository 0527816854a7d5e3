"""From the first stop signal to the end: new requests are refused, and those inside have a limited time to finish."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from functools import partial

from serving.hosts.gate import Gate

logger = logging.getLogger(__name__)

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
WHY = "The server is stopping and takes no new requests; send this one to another, or again later."
SERVER_LIMIT_S = 5.0
"""How long the HTTP server may take to end once the gate is empty. It waits for each connection, also for one whose
client reads nothing any more, and for each request, also for one that does not end when it is cut."""


class Drain:
    """Hears the stop signals. All methods belong to one event loop.

    A supervisor may repeat itself: a SIGTERM to all processes and BentoML's own arrive within milliseconds. So only a
    second SIGINT, which is a person's, ends the wait.
    """

    def __init__(self, gate: Gate, limit_s: float, abandon: Callable[[], Awaitable[None]]) -> None:
        """`abandon` ends a process whose HTTP server does not end."""
        self._gate = gate
        self._limit_s = limit_s
        self._abandon = abandon
        self._task: asyncio.Task[None] | None = None
        self._is_interrupted = False

    def listen(self) -> None:
        """Stand before the HTTP server's own handlers, which would close its door at once."""
        loop = asyncio.get_running_loop()
        for stop_signal in STOP_SIGNALS:
            stop = signal.getsignal(stop_signal)
            assert callable(stop), stop
            loop.add_signal_handler(stop_signal, self._hear, stop_signal, partial(stop, stop_signal, None))

    def end(self) -> None:
        """The HTTP server has ended."""
        if self._task is not None:
            self._task.cancel()

    def _hear(self, stop_signal: signal.Signals, stop: Callable[[], object]) -> None:
        is_interrupt = stop_signal is signal.SIGINT
        if self._task is None:
            self._gate.close(WHY)
            self._task = asyncio.create_task(self._stop_when_empty(stop_signal, stop))
        elif is_interrupt and self._is_interrupted:
            logger.warning("SIGINT again: running requests are not waited for.")
            self._gate.hurry()
        else:
            logger.info("%s while the server is stopping changes nothing; a second SIGINT does.", stop_signal.name)
        self._is_interrupted |= is_interrupt

    async def _stop_when_empty(self, stop_signal: signal.Signals, stop: Callable[[], object]) -> None:
        logger.info("%s: running requests have %g s to finish.", stop_signal.name, self._limit_s)
        num_cut = await self._gate.wait_until_empty(self._limit_s)
        if num_cut:
            logger.warning("%d requests did not finish in time (PARS_DRAIN_S) and end in 503.", num_cut)
        stop()
        await asyncio.sleep(SERVER_LIMIT_S)
        logger.error("A connection is still open %g s after the last request; it is left behind.", SERVER_LIMIT_S)
        await self._abandon()
