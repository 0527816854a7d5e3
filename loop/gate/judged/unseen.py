"""Which requests a ranker was surely not trained on: by when they came, and by the hash that splits every log. Pure."""

from collections.abc import Callable, Mapping

import numpy as np

from loop.fresh.fresh_requests import Flags, FreshRequests
from loop.gate.contestants import Contestant
from registry.artefact.card import RankerCard
from traffic.length_log import BY_PROMPT
from traffic.rows.rules import SESSION
from traffic.split import split_of


def came_later(requests: FreshRequests, contestant: Contestant) -> Flags:
    """Those that came when its data was complete; of an unknown time none."""
    return np.asarray(requests.arrival_s >= contestant.data_until_s)


def tests_by_hash(requests: FreshRequests, card: RankerCard) -> Flags | None:
    """Those that its log's split would have kept for the test, however it was grouped; None where no card tells."""
    assert requests.views is not None
    keys: Mapping[str | None, Callable[[], list[str]]] = {
        BY_PROMPT: lambda: [view.text for view in requests.views or ()],
        SESSION: lambda: _least_groups(requests),
    }
    if not {*card.grouped_by} <= keys.keys():
        return None
    is_test = np.ones(len(requests), dtype=np.bool_)
    for grouping in card.grouped_by:
        is_test &= np.array([split_of(key) == "test" for key in keys[grouping]()], dtype=np.bool_)
    return is_test


def _least_groups(requests: FreshRequests) -> list[str]:
    """The group of each as labels have it: a text that came in several sessions stands in the least of them."""
    texts = [view.text for view in requests.views or ()]
    least: dict[str, str] = {}
    for text, group in zip(texts, requests.groups, strict=True):
        least[text] = min(least.get(text, group), group)
    return [least[text] for text in texts]
