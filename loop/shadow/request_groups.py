"""What requests have in common: a template, a tenant, the value of a feature. Names that show no text. Pure."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from loop.fresh.fresh_requests import FreshRequests
from loop.shadow.disagreements import Groups
from registry.request_features import FEATURES, RequestView, matrix_of
from training.judging.baselines.template_mean import template_of

SHOWN_CHARACTERS = 60
THIRDS = ("low", "middle", "high")


def groups_of(requests: FreshRequests, shows_texts: bool) -> Groups:
    """The groups of each kind; a feature that all requests share or miss has none."""
    assert requests.views is not None
    features = matrix_of(requests.views)
    by_feature = {f"{name} is": _thirds(features[:, at]) for at, name in enumerate(FEATURES)}
    return {
        "template": _templates(requests.views, shows_texts),
        "tenant": requests.tenants,
        **{kind: names for kind, names in by_feature.items() if len(set(names)) > 1},
    }


def _templates(views: Sequence[RequestView], shows_texts: bool) -> list[str]:
    """By how often they come: 1 is the most frequent one."""
    templates = [template_of(view.text) for view in views]
    names = {}
    for number, (template, _) in enumerate(Counter(templates).most_common(), start=1):
        shown = " ".join(template.split())[:SHOWN_CHARACTERS]
        names[template] = f"{number}: {shown}" if shows_texts else str(number)
    return [names[one] for one in templates]


def _thirds(values: np.ndarray) -> list[str]:
    """The third of each value among those that are known, where they differ."""
    known = values[np.isfinite(values)]
    distinct = np.unique(known)
    if len(distinct) > len(THIRDS):
        edges = np.quantile(known, (1 / 3, 2 / 3))
        return ["missing" if np.isnan(one) else THIRDS[int((one > edges).sum())] for one in values.tolist()]
    return ["missing" if np.isnan(one) else f"{one:.3g}" for one in values.tolist()]
