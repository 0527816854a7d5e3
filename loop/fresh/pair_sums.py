"""How each request stands to the requests of each session: what a jackknife over sessions needs of pairs. Pure.

A group's pairs are with all others, so whoever is left out is gone on both sides of them: a mean over the group's own
sessions alone would take the others for certain, and be too sure by up to a factor of 2.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loop.fresh.fresh_requests import Flags, FreshRequests, Values
from registry.order.certain_pairs import Places
from registry.promotion import Difference
from training.judging.statistics.jackknife import blocks_of, interval

ROWS_AT_ONCE = 512
Counts = npt.NDArray[np.int32]
MOST_SHARE = 1.0


@dataclass(frozen=True)
class PairSums:
    """Of some requests and two rankers; requests of a block are left out together."""

    blocks: Places
    champion: Counts
    """Pairs of each request with each block in the right order less those in the wrong one, [requests, blocks]."""
    challenger: Counts
    """The same of the challenger."""
    untied: Counts
    """Pairs of certain order, [requests, blocks]."""

    @classmethod
    def of(cls, challenger: Values, champion: Values, requests: FreshRequests, seed: int) -> "PairSums":
        """From what both predict; takes a step for each two requests."""
        blocks = blocks_of(requests.groups, seed)
        parts = list(_parts(challenger, champion, requests, blocks))
        return cls(blocks, *(np.concatenate([part[at] for part in parts]) for at in range(3)))

    def right_share(self, surplus: Counts, members: Flags) -> float:
        """Share of the members' pairs that are in the right order, a predicted tie half right."""
        pairs = float(self.untied[members].sum())
        return (1 + float(surplus[members].sum()) / pairs) / 2 if pairs else 0.5

    def difference(self, members: Flags, level: float) -> Difference:
        """Challenger less champion, of the members' pairs."""
        more, pairs = (self._without_each(one, members) for one in (self.challenger - self.champion, self.untied))
        shares = np.divide(more, 2 * pairs, out=np.zeros(len(more)), where=pairs > 0)
        return Difference(shares[0], *interval(shares[0], shares[1:], MOST_SHARE, level))

    def _without_each(self, sums: Counts, members: Flags) -> Values:
        """A sum over the members' pairs: all of it, then without each block, [1 + blocks]."""
        its, its_blocks = sums[members], self.blocks[members]
        num_blocks = sums.shape[1]
        as_partners = its.sum(axis=0)
        as_members = np.bincount(its_blocks, its.sum(axis=1), num_blocks)
        as_both = np.bincount(its_blocks, its[np.arange(len(its)), its_blocks], num_blocks)
        return np.concatenate([[its.sum()], its.sum() - as_partners - as_members + as_both])


def _parts(
    challenger: Values, champion: Values, requests: FreshRequests, blocks: Places
) -> Iterator[tuple[Counts, Counts, Counts]]:
    """Some requests after the other, each with all."""
    columns = np.argsort(blocks, kind="stable")
    begins = np.searchsorted(blocks[columns], np.arange(blocks.max() + 1))
    for start in range(0, len(blocks), ROWS_AT_ONCE):
        rows = np.arange(start, min(start + ROWS_AT_ONCE, len(blocks)))
        order = _certain_order(requests.output_tokens, requests.is_censored, rows, columns)
        surpluses = (
            order * np.sign(one[rows, None] - one[None, columns]).astype(np.int8) for one in (champion, challenger)
        )
        yield tuple(  # type: ignore[misc]
            np.add.reduceat(one, begins, axis=1, dtype=np.int32) for one in (*surpluses, np.abs(order))
        )


def _certain_order(true: Values, is_cut: Flags, rows: Places, columns: Places) -> np.ndarray:
    """1 where the row's answer is certainly the longer one, -1 where the column's is, else 0, int8 [rows, columns]."""
    row, column = true[rows, None], true[None, columns]
    row_is_cut, column_is_cut = is_cut[rows, None], is_cut[None, columns]
    is_longer = ((row > column) | ((row == column) & row_is_cut)) & ~column_is_cut
    is_shorter = ((row < column) | ((row == column) & column_is_cut)) & ~row_is_cut
    return np.asarray(is_longer.astype(np.int8) - is_shorter.astype(np.int8))
