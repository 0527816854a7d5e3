"""Many texts on disk: the same sequence as in memory, of which only some thousand texts are there at a time."""

from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from weakref import finalize

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from traffic.texts import BATCH_ROWS, Texts

ONE_TEXT = pa.schema([pa.field("text", pa.large_string())])


class TemporaryFolder:
    """A folder that is deleted when nobody holds this object any more, or when the process ends."""

    def __init__(self) -> None:
        self.path = Path(mkdtemp(prefix="pars-"))
        finalize(self, rmtree, self.path, ignore_errors=True)


class StoredTexts(Texts):
    """Texts of a file in a temporary folder, which is deleted with them."""

    def __init__(self, path: Path, folder: TemporaryFolder) -> None:
        self._folder = folder
        self._file = pa.ipc.open_file(pa.OSFile(str(path)))
        sizes = [len(self._batch(number)) for number in range(self._file.num_record_batches)]
        self._starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __iter__(self) -> Iterator[str]:
        for number in range(self._file.num_record_batches):
            yield from self._batch(number).to_pylist()

    def slice(self, start: int, stop: int) -> pa.ChunkedArray:
        """Those from one place up to another, in Arrow's memory."""
        if start >= stop:
            return pa.chunked_array([], pa.large_string())
        first, last = (int(self._number(place)) for place in (start, stop - 1))
        chunks = [self._batch(number) for number in range(first, last + 1)]
        return pa.chunked_array(chunks).slice(start - int(self._starts[first]), stop - start)

    def take(self, places: npt.NDArray[np.int64]) -> tuple[str, ...]:
        """Those at some places, in their order, as Python strings; each part of the file is read once."""
        wanted = np.unique(places)
        numbers = self._number(wanted)
        found: dict[int, str] = {}
        for number in np.unique(numbers):
            its = wanted[numbers == number]
            texts = self._batch(number).take(pa.array(its - self._starts[number]))
            found.update(zip(its.tolist(), texts.to_pylist(), strict=True))
        return tuple(found[place] for place in places.tolist())

    def _number(self, places: int | npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """In which part of the file each place is."""
        return np.searchsorted(self._starts, places, side="right") - 1

    def _batch(self, number: int) -> pa.Array:
        return self._file.get_batch(int(number)).column(0)


class TextsWriter:
    """Writes texts to disk, from which they are read when it is done."""

    def __init__(self) -> None:
        self._folder = TemporaryFolder()
        self._path = self._folder.path / "texts.arrow"
        self._writer = pa.ipc.new_file(str(self._path), ONE_TEXT)

    def add(self, texts: Texts) -> None:
        """Put more texts behind those before."""
        table = pa.table([texts.slice(0, len(texts))], ONE_TEXT)
        self._writer.write_table(table, max_chunksize=BATCH_ROWS)

    def stored(self) -> StoredTexts:
        """All of them."""
        self._writer.close()
        return StoredTexts(self._path, self._folder)
