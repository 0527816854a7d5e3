"""The plot of a replay."""

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from benchmarks.report import plots
from benchmarks.report.page.policy_slots import slots
from benchmarks.report.summary import summarise
from charts.looks import COLOURS

POLICIES = ["fcfs", "mine", "pars"]


def test_a_policy_has_the_colour_that_it_has_on_the_page() -> None:
    rng = np.random.default_rng(0)
    rows = [
        {"policy": policy, "repeat": 0, "output_tokens": tokens, "ttft_s": 0.1 + wait_s, "e2e_s": 0.2 + wait_s}
        for policy in POLICIES
        for tokens, wait_s in zip(rng.integers(1, 100, 40), rng.random(40), strict=True)
    ]
    answers = pd.DataFrame(rows).assign(load=np.nan, sent_s=0.0, prompt_tokens=3)
    bars, distribution, _ = plots.latency(answers, summarise(answers)).axes
    wanted = [COLOURS[slots(POLICIES)[policy]] for policy in POLICIES]
    assert [to_hex(bar.get_facecolor()) for bar in bars.patches] == wanted
    assert [to_hex(line.get_color()) for line in distribution.lines] == wanted
