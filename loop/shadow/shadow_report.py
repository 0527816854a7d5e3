"""What a shadow says: its sentences, and the evidence for its page. Pure."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property

from benchmarks.report.notes import ordered_by, placements
from benchmarks.report.page.evidence import Evidence
from benchmarks.what_if.provenance import of_log
from benchmarks.what_if.stretches import price_of
from charts.chart import AnyChart
from loop.shadow.config import ShadowConfig
from loop.shadow.disagreements import Group
from loop.shadow.rivals_on_record import Rivals
from loop.shadow.shadow_charts import shadow_charts
from loop.shadow.shadow_simulation import ShadowSimulation
from loop.shadow.side_by_side import MOST_PAIRED, SideBySide, of_groups
from registry.store import CHALLENGER
from serving.work.step_cost import StepCost

SCORED = (
    "Both rankers have scored {} afresh, on this machine, one request at a time and uncorrected; a ranker is a function"
    " of the request alone, so that is what they would have said live. Intervals leave out whole sessions (a paired"
    " jackknife); those of groups allow for how many groups were looked at."
)


@dataclass(frozen=True)
class ShadowReport:
    """All that was found."""

    config: ShadowConfig
    rivals: Rivals
    found: SideBySide
    groups: list[Group]
    """Those first on which the two differ most."""
    simulation: ShadowSimulation | None
    """None where nothing could be, or should be simulated."""

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """The verdict in a line first, then what it rests on."""
        found = self.found
        newest = found.by_answers[found.tiers[0]][-1]
        lately = (
            f"Over the newest {newest.requests:,} answers it is {newest.challenger:.3f} instead of"
            f" {newest.champion:.3f} ({newest.difference.words})."
        )
        of_tiers = [one.sentence for one in found.of_tiers]
        references = [one.reference for one in self.rivals]
        return (
            f"{found.verdict}.",
            *(*of_tiers, lately, *of_groups(self.groups), self._of_queue),
            *(*references, found.seen),
        )

    @cached_property
    def charts(self) -> tuple[AnyChart, ...]:
        """Of what was scored."""
        return tuple(shadow_charts(self.found, self.groups))

    def evidence(self, cost: StepCost) -> Evidence:
        """For the page, of what was simulated."""
        simulation = self.simulation
        assert simulation is not None
        return Evidence(
            title=f"Challenger and champion of {self.config.target_llm} on {self.found.requests.where}",
            answers=simulation.answers,
            provenance=tuple(self._provenance(cost, simulation)),
            settings=asdict(self.config),
            overhead=tuple(placements(simulation.of_log)),
            advice=self.sentences[1:],
            advice_title="What it says",
            verdict=self.found.verdict,
            next_step=self._next_step,
            sweeps=self.charts,
            sweeps_title="How the two order what was served",
            policy=CHALLENGER,
            objectives=self.config,
            capacity_per_s=simulation.stretches.capacity_per_s,
            unrated="as they came",
        )

    @property
    def _next_step(self) -> str:
        if self.found.is_worse:
            return "Keep the champion."
        version = "" if self.config.version is None else f" --version {self.config.version}"
        return f"Let the gate decide: pars promote --target-llm {self.config.target_llm}{version}."

    @property
    def _of_queue(self) -> str:
        if self.simulation is None:
            return (
                "No queue was simulated: that needs arrivals and tokens of prompts, and max_simulated_tokens above 0."
            )
        if not self.simulation.has_waiting:
            return "As the requests came hardly anything waits in the simulation, so no order gains anything there."
        taken = self.simulation.gain.words
        return f"As they came, simulated, the challenger takes {taken} off the champion's mean seconds per token."

    def _provenance(self, cost: StepCost, simulation: ShadowSimulation) -> Iterator[str]:
        what_if = self.config.what_if
        yield SCORED.format(self.found.requests.where)
        if len(self.found.requests) > MOST_PAIRED:
            yield f"Groups were looked at among the newest {MOST_PAIRED:,} of them."
        yield (
            f"The queue is simulated: {len(simulation.traffic):,} requests of this target LLM with their own arrivals,"
            f" tokens of prompts and of answers, by vLLM's own scheduler under a virtual clock. {cost.sentence}"
        )
        yield of_log(simulation.traffic, simulation.stretches)
        yield ordered_by("work" if what_if.is_by_work else "length", price_of(what_if, cost))
        yield from (*self.found.requests.notes, *simulation.traffic.notes)


def moment(seconds: float) -> str:
    """A time since 1970, for people."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
