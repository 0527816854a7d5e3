"""A rival without a model: places by the rules that llm-d's router ships, within a bucket first come, first served."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from benchmarks.policies.places import Values, places
from registry.request_features import asked_of
from traffic.rows.row import Row
from training.judging.baselines.llm_d_rules import Bucket, bucket_of


def bucket_places(rows: Iterable[Row], prompts: Sequence[str]) -> tuple[Values, str]:
    """Each prompt's place by its bucket, and a sentence that says how many there are of each.

    Of a prompt that was sent more than once the mean counts. One that is not among the rows is UNKNOWN.
    """
    wanted = frozenset(prompts)
    found: dict[str, list[Bucket]] = defaultdict(list)
    for row in rows:
        if row.text is not None and row.text in wanted:
            found[row.text].append(bucket_of(asked_of(row.params or {})))
    means = np.array([np.mean(found.get(prompt, [Bucket.UNKNOWN])) for prompt in prompts])
    return places(means), _sentence(means)


def _sentence(means: Values) -> str:
    counts = Counter(np.sign(means).astype(int).tolist())
    told = ", ".join(f"{counts[bucket]:,} {bucket.name}" for bucket in Bucket)
    nothing = "" if counts[Bucket.UNKNOWN] < len(means) else ": no request has such parameters, so it is FCFS by itself"
    return f"outlen_bucket knows only the parameters of requests (reasoning, tools, caps): {told}{nothing}."
