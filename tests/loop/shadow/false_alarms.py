"""How often a shadow says that two rankers differ which do not, and how surely it finds a template on which they do.

python -m tests.loop.shadow.false_alarms [--runs 200]

Both rankers are the truth with noise of their own, as much of it; 1,000 requests in 500 sessions, ten templates, four
tenants. Then the challenger has half of the noise on one of the templates.
"""

import sys
from argparse import ArgumentParser

import numpy as np

from loop.fresh.pair_sums import PairSums
from loop.gate.checks.differences import tau_difference
from loop.shadow.disagreements import Group, groups_by_difference
from loop.shadow.rolling_tau import LEVEL
from tests.loop.shadow.made_up_requests import made_up_requests

REQUESTS, TEMPLATES, TENANTS = 1000, 10, 4
NOISE = 0.8
BETTER = "0"
"""The template that the challenger knows better."""


def planted(seed: int, share: float) -> tuple[bool, list[Group]]:
    """Whether the two surely differ in tau-b, and all groups; `share` of the noise is left on one template."""
    rng = np.random.default_rng(seed)
    of_session = rng.normal(0, 0.5, REQUESTS // 2).repeat(2)
    templates = rng.integers(0, TEMPLATES, REQUESTS)
    log_tokens = rng.normal(4, 1, REQUESTS) + of_session
    requests = made_up_requests(np.exp(log_tokens), groups=[str(number // 2) for number in range(REQUESTS)])
    kept = np.where(templates == int(BETTER), share, 1.0)
    challenger, champion = (log_tokens + rng.normal(0, NOISE, REQUESTS) * one for one in (kept, np.ones(REQUESTS)))
    names = {
        "template": list(map(str, templates.tolist())),
        "tenant": list(map(str, rng.integers(0, TENANTS, REQUESTS).tolist())),
    }
    tau = tau_difference(challenger, champion, requests, LEVEL)
    pairs = PairSums.of(challenger, champion, requests, seed)
    return tau.low > 0 or tau.high < 0, groups_by_difference(pairs, requests, names, least=50)


def main() -> None:
    """Print both."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    runs = parser.parse_args().runs
    alike = [planted(seed, 1.0) for seed in range(runs)]
    better = [planted(seed, 0.5) for seed in range(runs)]
    differ = np.mean([differs for differs, _ in alike])
    alarms = np.mean([any(one.is_sure for one in groups) for _, groups in alike])
    found = np.mean(
        [(groups[0].kind, groups[0].name, groups[0].is_sure) == ("template", BETTER, True) for _, groups in better]
    )
    sys.stdout.write(
        f"alike: tau-b is said to differ in {differ:.1%}, some group in {alarms:.1%} of {runs} runs\n"
        f"better on one template: it is the first group, and sure, in {found:.1%}\n"
    )


if __name__ == "__main__":
    main()
