"""What would be served: settings, the engine's flags, the registry, its rankers, and the journal."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from registry import watch
from registry.artefact.card import REFERENCE_PROMPTS, REFERENCE_TOLERANCE
from registry.ranker import Ranker, Tier
from serving.champion.follower import no_champion, unreachable
from serving.champion.ordering_switch import state_of
from serving.champion.ranker_copies import RankerCopies
from serving.champion.ranker_sources import Champion, from_registry
from serving.champion.start import START_LIMIT_S
from serving.config import Settings
from serving.doctor.diagnosis import Line
from serving.journal.journal import folder_of
from serving.threads import TimedCalls

NO_JOURNAL = "what is served cannot judge a ranker, or train the next one"


def settings_lines(settings: Settings) -> Iterator[Line]:
    """What is served in which order; a wrong setting has ended the command before."""
    settings.check_llm()
    settings.check_fallback()
    order = "work" if settings.cost else "predicted length"
    said = f"{settings.llm} with the rankers of {', '.join(settings.target_llms)}, by {order}"
    if not settings.ranking:
        yield Line("settings", "note", "PARS_RANKING is off: first come, first served", "unset it to order requests")
    elif not settings.cost:
        yield Line("settings", "ok", f"{said}; where prompts are long, PARS_COST orders by work")
    else:
        yield Line("settings", "ok", said)


def engine(settings: Settings) -> Iterator[Line]:
    """Whether vLLM understands its flags; the engine itself is not started."""
    from serving.hosts.engine import parse_vllm_args  # imports vllm, which takes seconds

    args = parse_vllm_args(settings)
    served = ", ".join(args.served_model_name)
    yield Line("engine", "ok", f"vLLM knows all of its flags; served as {served}, --max-num-seqs {args.max_num_seqs}")


def rankers(settings: Settings) -> Iterator[Line]:
    """The registry, and each target LLM's champion: that it loads, is fast, and scores here as where it was made."""
    for target_llm in settings.target_llms:
        yield from _champion_lines(target_llm)


def journal(settings: Settings) -> Iterator[Line]:
    """What is kept of requests, and where."""
    folder = folder_of(settings)
    if settings.journal == "off":
        yield Line("journal", "note", "off", f"set PARS_JOURNAL=text; without it {NO_JOURNAL}")
    elif settings.journal == "keyed":
        yield Line("journal", "note", f"keyed, in {folder}", f"no texts: {NO_JOURNAL} (PARS_JOURNAL=text)")
    else:
        yield Line("journal", "ok", f"with texts, in {folder}")


def _champion_lines(target_llm: str) -> Iterator[Line]:
    try:
        sighting = asyncio.run(TimedCalls("registry").call(START_LIMIT_S, watch.look, target_llm))
    except Exception as error:  # MLflow lets through what its HTTP or database library raises
        yield Line("registry", "wrong", unreachable(error), "a start serves the last ranker, or none")
        return
    if sighting.champion is None:
        yield Line("registry", "wrong", no_champion(target_llm))
        return
    yield Line("registry", "ok", f"version {sighting.champion.number} is the champion of {target_llm}")
    if state_of(sighting.ordering) is False:
        yield Line("registry", "note", f"the ordering of {target_llm} is off", "pars ordering --state on")
    with TemporaryDirectory() as folder:
        champion = from_registry(target_llm, sighting.champion, RankerCopies(Path(folder)))
        yield from _ranker_lines(champion)


def _ranker_lines(champion: Champion, seconds: Callable[[], float] = perf_counter) -> Iterator[Line]:
    ranker = champion.ranker
    said = ", ".join(f"{tier} {1000 * _median_s(ranker, tier, seconds):.2f} ms" for tier in ranker.tiers)
    found = f"it loads; a prompt takes {said} in the median"
    if champion.instant_state != "on":
        yield Line("ranker", "note", f"{found}; its instant tier is {champion.instant_state}", "train it anew")
    else:
        yield Line("ranker", "ok", found)
    error = ranker.reference_error
    if error is None:
        yield Line("ranker", "note", "its card has no reference scores", "train it anew, to know that it scores alike")
    elif error > REFERENCE_TOLERANCE:
        found = f"its scores lie {error:.3f} of their spread from where it was made"
        yield Line("ranker", "wrong", found, "the order is not the tested one: train or export it on such a machine")
    else:
        yield Line("ranker", "ok", f"it scores as where it was made (off by {error:.4f} of the scores' spread)")


def _median_s(ranker: Ranker, tier: Tier, seconds: Callable[[], float]) -> float:
    taken = []
    for prompt in REFERENCE_PROMPTS:
        started_s = seconds()
        ranker.predict(prompt, tier)
        taken.append(seconds() - started_s)
    return median(taken)
