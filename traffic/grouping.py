"""Test prompts of a log that rankers, whose data may have been grouped otherwise, were not trained on."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from registry.artefact.card import Grouping
from registry.errors import InvalidInput
from traffic.labelled_prompts import LabelledPrompts
from traffic.labelling.labels import label_prompts
from traffic.length_log import BY_PROMPT, LengthLog, LengthLogSource
from traffic.row_fates import labelled_rows
from traffic.split import Split, split_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class UnseenPart:
    """What is tested, and what must be known of it."""

    prompts: LabelledPrompts
    in_log: int
    """Of how many they were drawn."""
    notes: tuple[str, ...]
    """Rankers that may have been trained on these prompts, or on those that were left out: sentences."""


def unseen_part(
    source: LengthLogSource,
    log: LengthLog,
    grouped_by: Mapping[str, Sequence[Grouping]],
    split: Split | None = "test",
    at_most: int | None = None,
    seed: int = 0,
) -> UnseenPart:
    """The prompts of a split, or of all, less those that one of the rankers was, or would have been, trained on.

    The split is a function of the hash of the group alone. So where a ranker's data was grouped otherwise (`grouped_by`
    the ranker's name, as its card says), most prompts of this log's test part were in its train part, if its data held
    them. They are left out, unless all prompts are asked for; either way it is said.
    """
    is_tested = np.array([split in (None, one) for one in log.splits], dtype=np.bool_)
    is_left = is_tested.copy()
    notes = []
    for grouping, names in _rankers_by_grouping(grouped_by, log.grouped_by).items():
        is_unseen = _tests_under(source, grouping)
        notes.append(_sentence(names, grouping, log.grouped_by, is_tested, is_unseen, split))
        if split is not None and is_unseen is not None:
            is_left &= is_unseen
    for note in notes:
        logger.warning("%s", note)
    return UnseenPart(log.part(split, at_most, seed, is_left), int(is_left.sum()), tuple(notes))


def _rankers_by_grouping(
    grouped_by: Mapping[str, Sequence[Grouping]], own: Grouping
) -> Mapping[Grouping, Sequence[str]]:
    """The names of the rankers whose data was grouped otherwise, by how it was."""
    groupings = dict.fromkeys(one for several in grouped_by.values() for one in several if one != own)
    return {one: [name for name, several in grouped_by.items() if one in several] for one in groupings}


def _tests_under(source: LengthLogSource, grouping: Grouping) -> npt.NDArray[np.bool_] | None:
    """Which prompts of the log, in its order, would test under another grouping; None where that cannot be known."""
    if grouping is None:
        return None
    column = None if grouping == BY_PROMPT else grouping
    source = replace(source, group_column=column)  # which the log must have
    try:
        labels = label_prompts(labelled_rows(source.reading_by(column), Counter()))
    except InvalidInput:  # the log could be read, so it is this column that it does not have
        return None
    if column is not None and not labels.have_groups:
        return None
    return np.array([split_of(group) == "test" for group in labels.groups], dtype=np.bool_)


def _sentence(
    names: Sequence[str],
    grouping: Grouping,
    own: Grouping,
    is_tested: npt.NDArray[np.bool_],
    is_unseen: npt.NDArray[np.bool_] | None,
    split: Split | None,
) -> str:
    tested, who = int(is_tested.sum()), ", ".join(names)
    if is_unseen is None:
        why = f"by {grouping!r}, which this log does not have" if grouping else "in a way that no card tells"
        return (
            f"The data of {who} was grouped {why}, and this log is grouped by {own!r}: how many of the {tested} prompts"
            " that are tested it was trained on cannot be known, and they flatter it."
        )
    seen = int((is_tested & ~is_unseen).sum())
    fate = "tested all the same" if split is None else "left out"
    return (
        f"The data of {who} was grouped by {grouping!r}, and this log is grouped by {own!r}: {seen} of {tested} prompts"
        f" would have trained or validated it, if its data held them, and are {fate}."
    )
