"""Prompts that the instant network learns from beside the training prompts: nobody needs to know their lengths."""

import logging
from collections.abc import Iterator
from itertools import islice, repeat

import numpy as np

from registry.request_features import RequestView
from traffic.cells.asked import NOTHING, asked_cell
from traffic.labelled_prompts import view_in
from traffic.length_log import LengthLog
from traffic.read import Reading
from traffic.rows.row import Row
from traffic.rows.rules import SESSION, Columns, label_needs
from traffic.split import hash_of, hashes_of, split_of
from training.config import TrainingConfig

logger = logging.getLogger(__name__)


def unlabelled_prompts(config: TrainingConfig, log: LengthLog) -> list[RequestView]:
    """Requests of distinct prompts beside the config's training prompts; of too many, those that the seed draws.

    They are labelled prompts beyond `max_prompts`, the log's rows without a length, and all of the file `unlabelled`,
    whatever lengths stand there. A prompt is left out if the hash of its group says validation or test, or if the log
    has a label for it: its own group there decided already.

    Raises:
        InvalidInput: the file cannot be read.
    """
    if not config.unlabelled_prompts or not config.distil_epochs:
        return []
    drawn = _Drawn(config.unlabelled_prompts, config.seed)
    if config.max_prompts is not None:
        train = log.part("train", None, config.seed)
        cells = repeat(None) if train.asked is None else train.asked
        for prompt, cell in islice(zip(train.prompts, cells, strict=False), config.max_prompts, None):
            drawn.see(prompt, cell)
    labelled = np.sort(hashes_of(log.prompts))
    unsaid = None if log.asked is None else NOTHING
    for row in _rows(config, log):
        if row.text and split_of(row.group or row.text) == "train" and not _has(labelled, hash_of(row.text)):
            drawn.see(row.text, asked_cell(row.params) or unsaid)
    views = drawn.views()
    logger.info("the instant network learns from %d more prompts, whose lengths it is not told", len(views))
    return views


def _rows(config: TrainingConfig, log: LengthLog) -> Iterator[Row]:
    if log.counts.no_length:
        yield from (row for row in config.reading().rows() if row.left_out == "no_length")
    if config.unlabelled is not None:
        columns = Columns(prompt=config.prompt_column, group=config.group_column or SESSION, has_params=True)
        yield from Reading(config.unlabelled, config, columns, needs=label_needs(config)[:1]).rows()


def _has(hashes: np.ndarray[tuple[int], np.dtype[np.uint64]], one: int) -> bool:
    place = int(np.searchsorted(hashes, np.uint64(one)))
    return place < len(hashes) and int(hashes[place]) == one


class _Drawn:
    """Of all prompts seen, those with the smallest hashes under a seed: of a log of any size a bounded number."""

    def __init__(self, at_most: int, seed: int) -> None:
        self._at_most = at_most
        self._seed = seed
        self._by_hash: dict[int, tuple[str, str | None]] = {}

    def see(self, prompt: str, asked: str | None) -> None:
        """Take it and what is asked for beside it, and now and then let go of what is too many."""
        self._by_hash[hash_of(prompt, self._seed)] = (prompt, asked)
        if len(self._by_hash) > 2 * self._at_most:
            self._by_hash = {one: self._by_hash[one] for one in self._smallest()}

    def views(self) -> list[RequestView]:
        """In the order of their hashes."""
        return [view_in(*self._by_hash[one]) for one in self._smallest()]

    def _smallest(self) -> list[int]:
        return sorted(self._by_hash)[: self._at_most]
