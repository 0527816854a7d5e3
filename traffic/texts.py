"""Many texts without a Python object for each: a sequence over Arrow's memory."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Item = TypeVar("Item")

BATCH_ROWS = 16_384


class Texts(Sequence[str]):
    """Texts in Arrow's memory; iterating makes Python strings of some thousand at a time."""

    def __init__(self, array: pa.Array | pa.ChunkedArray) -> None:
        self._array = array

    def __len__(self) -> int:
        return len(self._array)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> "Texts": ...
    def __getitem__(self, index: int | slice) -> "str | Texts":
        """One text, or some of them."""
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step != 1:
                return Texts(pa.array(self.take(np.arange(start, stop, step)), pa.large_string()))
            return Texts(self.slice(start, stop))
        text: str = self.slice(place := range(len(self))[int(index)], place + 1)[0].as_py()
        return text

    def slice(self, start: int, stop: int) -> pa.Array | pa.ChunkedArray:
        """Those from one place up to another, in Arrow's memory."""
        return self._array.slice(start, max(0, stop - start))

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), BATCH_ROWS):
            yield from self._array.slice(start, BATCH_ROWS).to_pylist()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(str.__eq__, self, other))

    __hash__ = None  # type: ignore[assignment]  # as of any sequence that may be long

    def take(self, places: npt.NDArray[np.int64]) -> tuple[str, ...]:
        """Those at some places, in their order, as Python strings."""
        return tuple(self._array.take(pa.array(places)).to_pylist())


def taken(texts: Sequence[str], places: npt.NDArray[np.int64]) -> tuple[str, ...]:
    """Those at some places, in their order."""
    return texts.take(places) if isinstance(texts, Texts) else tuple(texts[place] for place in places)


def table_of(rows: Iterable[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    """Rows as columns in Arrow's memory; only some thousand at a time are Python objects."""
    batches = []
    for chunk in chunks_of(rows):
        columns = [pa.array(column, kind) for column, kind in zip(zip(*chunk, strict=True), schema.types, strict=True)]
        batches.append(pa.RecordBatch.from_arrays(columns, schema=schema))
    return pa.Table.from_batches(batches, schema)


def chunks_of(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Some thousand of them at a time."""
    remaining = iter(items)
    while chunk := list(islice(remaining, BATCH_ROWS)):
        yield chunk
