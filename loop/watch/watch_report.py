"""What a watch has found, in sentences. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import isnan

from loop.watch.watch_charts import OTHER_POPULATION
from loop.watch.watched_stretch import Raised, Stretch
from registry.watch import RegisteredVersion
from serving.drift.detectors import BLOCK_ANSWERS
from serving.drift.watched_answer import Watched

NAMES: Mapping[Watched, str] = {
    "kendall_tau_b": "tau-b",
    "static_gain": "static gain",
    "calibration": "true ÷ predicted length",
}
MANY_UNRANKED = 0.05


def findings(stretches: Sequence[Stretch], unranked: Mapping[str, float], where: str) -> list[str]:
    """A sentence each: the verdict first, then the figures behind it, earlier alarms, and who was not ranked."""
    last = stretches[-1]
    said = [_verdict(last, where), *_figures(last)]
    said += [_earlier(one) for one in stretches[:-1] if one.raised]
    return [*said, *_population(last), *_unranked(unranked)]


def gate_finding(champion: RegisteredVersion | None, last: Stretch) -> list[str]:
    """What the registry says of the champion: whether it passed the gate, and whether it is whom the answers are of."""
    if champion is None:
        return ["There is no champion in the registry."]
    said = []
    if not last.version.endswith(f"/{champion.number}"):
        said.append(f"The champion is version {champion.number} now, which these last answers are not of.")
    if champion.gate is None:
        said.append(f"The champion, version {champion.number}, passed no gate: its alias was moved by hand.")
    elif champion.gate != "promoted":
        said.append(f"The champion, version {champion.number}, was {champion.gate} by the gate.")
    return said


def _verdict(last: Stretch, where: str) -> str:
    of = f"{last.version.removeprefix('models:/')} over {where}"
    if last.drift.num_answers < BLOCK_ANSWERS:
        return f"{of}: {last.drift.num_answers} ranked answers, and {BLOCK_ANSWERS} are needed to say anything."
    if not last.drift.alarms:
        return f"{of}: quiet, it is as its card says."
    since = {one.watched: one for one in last.raised}  # the latest of each
    alarms = "; ".join(f"{NAMES[one]} since {_when(since[one])}" for one in last.drift.alarms)
    return f"{of}: ALARM, it is not what its card says ({alarms}); train a new one from the journal."


def _when(raised: Raised) -> str:
    answers = f"answer {raised.answers:,}"
    if isnan(raised.at_s):
        return answers
    return f"{datetime.fromtimestamp(raised.at_s, UTC):%Y-%m-%d %H:%M} UTC, {answers}"


def _figures(last: Stretch) -> list[str]:
    rolling, expected = last.drift.rolling(), last.drift.expected
    cards = {one: f"card {expected[one]:.3f}" if one in expected else "not on its card" for one in NAMES}
    parts = [f"{name} {rolling.of(watched):.3f} ({cards[watched]})" for watched, name in NAMES.items()]
    return [
        f"The last {len(last.drift.recent)} answers, uncorrected: {', '.join(parts)};"
        f" with the running correction tau-b is {last.drift.placed_tau_b():.3f}."
    ]


def _earlier(stretch: Stretch) -> str:
    alarms = "; ".join(f"{NAMES[one.watched]} at {_when(one)}" for one in stretch.raised)
    return f"Before, {stretch.version.removeprefix('models:/')} had alarms: {alarms}."


def _population(last: Stretch) -> list[str]:
    index = last.drift.stability_index()
    if isnan(index) or index <= OTHER_POPULATION:
        return []
    return [
        f"The requests are of other kinds than the ranker was validated on: the stability index of their places is"
        f" {index:.2f}, above {OTHER_POPULATION}."
    ]


def _unranked(unranked: Mapping[str, float]) -> list[str]:
    share = sum(unranked.values())
    if not share:
        return []
    reasons = ", ".join(f"{reason} {value:.1%}" for reason, value in sorted(unranked.items(), key=lambda one: -one[1]))
    much = " That is many." if share > MANY_UNRANKED else ""
    return [f"No tier had placed {share:.1%} of the answers: {reasons}.{much}"]
