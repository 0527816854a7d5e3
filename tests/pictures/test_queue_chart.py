"""`pictures/queue_chart.py`: what the README's picture shows is what was measured."""

import pandas as pd
import pytest

from charts.chart import Span, SpanChart
from pictures.queue_chart import LONG, SHORT, queue_chart


def answers() -> pd.DataFrame:
    """Two at once, one engine: the long answer goes first, and last; a second repeat that is not shown."""
    rows = [
        ("fcfs", 0, 0, 100, 0.5, 10.5),
        ("fcfs", 0, 1, 10, 10.5, 11.5),
        ("pars", 0, 0, 100, 1.5, 11.5),
        ("pars", 0, 1, 10, 0.5, 1.5),
        ("pars", 1, 0, 100, 90.0, 99.0),
        ("oracle", 0, 0, 100, 90.0, 99.0),
    ]
    columns = ["policy", "repeat", "request", "output_tokens", "ttft_s", "e2e_s"]
    return pd.DataFrame(rows, columns=columns).assign(sent_s=0.0)


@pytest.fixture(scope="module")
def chart() -> SpanChart:
    return queue_chart(answers(), at_once=1)


def test_rows_are_in_the_order_of_their_turns(chart: SpanChart) -> None:
    first, ranked = chart.panels
    assert first.spans == (Span(0.0, 0.5, 10.5, LONG), Span(0.0, 10.5, 11.5, SHORT))
    assert ranked.spans == (Span(0.0, 0.5, 1.5, SHORT), Span(0.0, 1.5, 11.5, LONG))


def test_titles_say_the_mean_waits_that_are_drawn(chart: SpanChart) -> None:
    first, ranked = (panel.title for panel in chart.panels)
    assert "a request waits 5.5 s on average, one with a short answer 10.5 s" in first
    assert "a request waits 1 s on average, one with a short answer 0.5 s" in ranked
    assert first in chart.says and ranked in chart.says


def test_it_says_how_many_came_and_how_many_are_answered_at_once(chart: SpanChart) -> None:
    assert chart.title == "2 requests arrive at once; 1 are answered at a time"


def test_an_answer_of_the_median_length_is_short() -> None:
    of_three = answers()[lambda table: table.policy == "fcfs"]
    of_three = pd.concat([of_three, of_three.tail(1).assign(request=2, output_tokens=55)])
    (first, _) = queue_chart(pd.concat([of_three, of_three.assign(policy="pars")]), at_once=1).panels
    assert [span.slot for span in first.spans] == [LONG, SHORT, SHORT]
