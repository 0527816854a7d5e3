"""What the metrics page says of finished answers."""

from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import REGISTRY

from serving.arrival_clock import ArrivalClock
from serving.outcomes import OVERTAKING_WINDOW_S, Outcome, Outcomes
from serving.ranking.load import EngineLoad
from serving.ranking.prioritiser import Prioritiser
from tests.serving.fakes import FakeEngine, FakeRanker, make_policy, only


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def output(num_tokens: int = 7, finish_reason: str = "stop", num_answers: int = 1) -> Any:
    stats = SimpleNamespace(queued_ts=10.0, scheduled_ts=13.0, num_generation_tokens=num_tokens)
    answers = [SimpleNamespace(index=index, token_ids=[], finish_reason=finish_reason) for index in range(num_answers)]
    return SimpleNamespace(metrics=stats, outputs=answers)


def test_vllms_last_output_is_read() -> None:
    assert Outcome.of(5.0, output()) == Outcome(5.0, output_tokens=7, waiting_s=3.0)


@pytest.mark.parametrize(
    "without", [None, "text", output(num_answers=2), SimpleNamespace(metrics=None, outputs=[object()])]
)
def test_output_without_counts_or_with_several_answers_is_left_out(without: Any) -> None:
    assert Outcome.of(5.0, without) is None


@pytest.mark.parametrize(
    ("predicted_tokens", "bucket"), [(32, "up to 32"), (33, "up to 128"), (512, "up to 512"), (513, "above 512")]
)
def test_waiting_is_counted_by_predicted_length(predicted_tokens: float, bucket: str) -> None:
    before = value("pars_waiting_seconds_sum", predicted_tokens=bucket)
    Outcomes().note(Outcome(predicted_tokens, 7, 3.0))
    assert value("pars_waiting_seconds_sum", predicted_tokens=bucket) == before + 3


async def test_ranked_request_is_noted_once_when_it_is_finished() -> None:
    engine, ranker, load = FakeEngine(outputs=(output(3), output(9))), FakeRanker(), EngineLoad(4)
    finder = only(lambda: ranker)
    prioritiser = Prioritiser(make_policy(), ArrivalClock(), load, finder, Outcomes())
    generate = prioritiser.wrap(engine.generate)
    names = ("pars_output_tokens_sum", "pars_predicted_tokens_sum")
    before = [value(name) for name in names]
    unfinished = generate("one two", SimpleNamespace(max_tokens=None, n=1), "id")
    await anext(unfinished)
    await unfinished.aclose()
    assert [value(name) for name in names] == before, "an aborted answer has no true length"
    async for _ in generate("one two", SimpleNamespace(max_tokens=None, n=1), "id"):
        pass
    assert [value(name) for name in names] == [before[0] + 9, before[1] + 2]
    finder.close()


def taken_up(at_s: float) -> Any:
    return SimpleNamespace(metrics=SimpleNamespace(scheduled_ts=at_s))


def test_overtaking_is_shown_by_target_llm_and_for_a_while() -> None:
    now_s = 1000.0
    outcomes = Outcomes(lambda: now_s)
    outcomes.note_taken_up("quick", 9_000_000, taken_up(1.0))
    outcomes.note_taken_up("quick", 2_000_000, taken_up(2.0))
    outcomes.note_taken_up("slow", 5_000_000, taken_up(3.0))
    overtaken = [value("pars_max_overtaking_seconds", target_llm=name) for name in ("quick", "slow")]
    assert overtaken == [7, 4], "the order is that of one engine"
    now_s += OVERTAKING_WINDOW_S / 2
    outcomes.note_taken_up("quick", 8_000_000, taken_up(4.0))
    outcomes.forget_what_is_old()
    assert value("pars_max_overtaking_seconds", target_llm="quick") == 7
    now_s += OVERTAKING_WINDOW_S / 2
    outcomes.forget_what_is_old()
    overtaken = [value("pars_max_overtaking_seconds", target_llm=name) for name in ("quick", "slow")]
    assert overtaken == [1, 0]
