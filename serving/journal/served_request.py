"""One request to the engine while it lasts: who serves it tells this, and when it is over the journal takes it.

All of it is in the event loop, for each output of the engine, so it only counts; rows are made of it elsewhere.
"""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Literal, Protocol, Self

from serving.arrival_clock import ArrivalClock
from serving.request_stages import EngineRequest, HttpRequest, Place
from traffic.cells.endings import ending_of

Fate = Literal["left", "failed", "stopping", "killed"]
"""How a request ends without a word of vLLM's: its client leaves, it fails, or the server ends before it."""


class Admitted(Protocol):
    """How a request was let go (`serving.ranking.admission.Admission`)."""

    @property
    def source(self) -> str:
        """Where its priority comes from."""

    @property
    def place(self) -> Place | None:
        """Its place; None if none was sought."""

    @property
    def target_llm(self) -> str:
        """Whose ranker was asked."""

    def tell_length(self, output_tokens: int) -> None:
        """Its answers have so many tokens."""


class ServedRequest:
    """A request from when it is known until its answers are finished, or it ends otherwise. A context manager."""

    def __init__(
        self,
        http_request: HttpRequest,
        request: EngineRequest,
        *,
        call: "EngineCall",
        clock: ArrivalClock,
        leave: Callable[["ServedRequest"], None],
    ) -> None:
        """`leave` is told at its end."""
        self.http_request = http_request
        self.request = request
        self.call = call
        self.index = http_request.num_requests - 1
        """Which of the HTTP request's engine requests it is."""
        self.arrival_us = http_request.arrival_us
        self.admitted: Admitted | None = None
        self.fate: Fate | None = None
        self.handed_on_us = self.first_output_us = self.ended_us = 0
        """0 where it has not come so far."""
        self.last_output: Any = None
        self.output_tokens: dict[int, int] = {}
        """Of each answer, by its number."""
        self.finish_reasons: dict[int, str] = {}
        self._clock = clock
        self._leave = leave

    def let_go(self, admitted: Admitted) -> None:
        """It goes on to the engine now."""
        self.admitted = admitted
        self.handed_on_us = self._clock.now_us

    def see(self, output: Any) -> None:
        """Take note of what the engine says of it."""
        if not self.first_output_us:
            self.first_output_us = self._clock.now_us
        self.last_output = output
        for answer in getattr(output, "outputs", ()):
            tokens = len(answer.token_ids)
            before = self.output_tokens.get(answer.index, 0) if self.call.is_in_pieces else 0
            self.output_tokens[answer.index] = before + tokens
            if answer.finish_reason is not None:
                self.finish_reasons[answer.index] = str(answer.finish_reason)

    @property
    def has_one_answer(self) -> bool:
        """Whether its length is that of one answer, as it was predicted."""
        return self.request.num_sequences == 1 and not self.http_request.is_beam_search

    @property
    def has_ended_by_itself(self) -> bool:
        """Whether its only answer did, so that its length is known."""
        reason = self.finish_reasons.get(0)
        return reason is not None and ending_of(reason).ending == "ended"

    def end(self, fate: Fate | None) -> None:
        """It is over; `fate` is what became of answers that are not finished."""
        if self.ended_us:
            return
        self.ended_us, self.fate = self._clock.now_us, fate
        if self.admitted is not None:
            self.admitted.tell_length(sum(self.output_tokens.values()))
        self._leave(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        has_failed = kind is not None and not issubclass(kind, (GeneratorExit, asyncio.CancelledError))
        self.end("failed" if has_failed else "left")


class EngineCall:
    """What the engine is asked, as far as the journal keeps it."""

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """The arguments of the engine client's `generate`, or of another method of it."""
        params = args[1] if len(args) > 1 else kwargs.get("sampling_params")
        self.request_id = str(args[2] if len(args) > 2 else kwargs.get("request_id"))
        self.session = kwargs.get("session_id")
        self.is_generation = getattr(params, "n", None) is not None
        """Pooling answers have no tokens."""
        self.is_in_pieces = getattr(getattr(params, "output_kind", None), "name", "") == "DELTA"
        """Whether each output holds the new tokens only, not all so far."""
