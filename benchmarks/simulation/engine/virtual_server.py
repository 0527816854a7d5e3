"""One simulated server: an engine and what stands before it, which hear of each other as the real ones do."""

from collections.abc import Iterable
from math import inf

from benchmarks.simulation.engine.engine_settings import EngineSettings, Served
from benchmarks.simulation.engine.intake import Intake
from benchmarks.simulation.engine.order import SentRequest
from benchmarks.simulation.engine.scheduler import VirtualEngine
from serving.work.step_cost import StepCost


class VirtualServer:
    """Send requests, run it, and take what was served."""

    def __init__(
        self, settings: EngineSettings, cost: StepCost, backlog_s: float, longest_request: int | None = None
    ) -> None:
        """`longest_request` (prompt and answer) sizes a KV cache that shall always be enough."""
        self.engine = VirtualEngine(settings, cost, longest_request)
        self._intake = Intake(cost, backlog_s, settings.max_num_seqs)
        self._unreported: int | None = None
        """Answers that ended with a step of which the intake has not heard; None if there is none."""

    def send(self, requests: Iterable[SentRequest]) -> None:
        """Send more requests, in the order of their times."""
        self._intake.send(requests)

    def run(self, until_s: float = inf) -> list[Served]:
        """Go on until nothing is left, or to the first step that would begin at `until_s`; return what was answered.

        What is sent later must not be due before `until_s`.
        """
        served: list[Served] = []
        engine, intake = self.engine, self._intake
        while engine.now_s < until_s:
            self._report()
            engine.submit(intake.hand_on(engine.now_s))
            if engine.admit():
                served += self._step()
                continue
            next_s = min(engine.next_ready_s, intake.next_s)
            if next_s >= until_s:
                break
            engine.now_s = next_s
        return served

    def _step(self) -> list[Served]:
        answered = self.engine.step()
        self._unreported = len(answered)
        return [one._replace(placed_by=self._intake.placed_by.pop(one.number)) for one in answered]

    def _report(self) -> None:
        """As vLLM does after each step."""
        if self._unreported is not None:
            engine = self.engine
            self._intake.report(engine.now_s, engine.num_running, engine.num_waiting, self._unreported)
            self._unreported = None
