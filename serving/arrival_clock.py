"""The clock by which requests arrive: the wall's time once, and from then on one that nobody sets."""

import time
from collections.abc import Callable


def wall_clock_us() -> int:
    """Microseconds since 1970; whoever sets the clock makes it jump."""
    return time.time_ns() // 1000


def since_boot_us() -> int:
    """Microseconds since the machine was started: nobody can set them, and they go on while it is suspended."""
    if hasattr(time, "CLOCK_BOOTTIME"):  # Linux
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000
    return time.monotonic_ns() // 1000


class ArrivalClock:
    """Stamps arrivals in microseconds since 1970, each later than the one before. A process has one.

    It reads the wall clock once, when it is made, and from then on counts by a clock that nobody sets: whatever becomes
    of the wall clock, two stamps are as far apart as their arrivals. The anchor makes stamps of a server that was
    started anew, of several API servers of one engine, and of a gateway comparable, as far as their wall clocks agreed
    at their starts.
    """

    def __init__(
        self, elapsed_us: Callable[[], int] = since_boot_us, wall_us: Callable[[], int] = wall_clock_us
    ) -> None:
        """Anchor it now."""
        self._elapsed_us = elapsed_us
        self._anchor_us = wall_us() - elapsed_us()
        self._last_us = 0

    @property
    def now_us(self) -> int:
        """The time now, as stamps count it; it stamps nothing."""
        return self._anchor_us + self._elapsed_us()

    def stamp_us(self) -> int:
        """The time now, or just after the last stamp if that was in this same microsecond."""
        self._last_us = max(self.now_us, self._last_us + 1)
        return self._last_us
