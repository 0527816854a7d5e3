"""Rows on disk, in buckets by the hashes of their prompts, so that one bucket after the other is sorted in memory."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from traffic.stored_texts import TemporaryFolder

BUCKET_BITS = 7
"""128 buckets: of ten million rows of 1 KB, one holds 80 MB."""


class SpilledRows:
    """Takes tables of this schema, in which a column is called `hash`."""

    def __init__(self, schema: pa.Schema) -> None:
        self._folder = TemporaryFolder()
        self._paths = [self._folder.path / f"{number}.arrows" for number in range(1 << BUCKET_BITS)]
        self._writers = [pa.ipc.new_stream(str(path), schema) for path in self._paths]

    def add(self, table: pa.Table) -> None:
        """Append each row to its bucket."""
        buckets = table["hash"].to_numpy() >> np.uint64(64 - BUCKET_BITS)
        order = np.argsort(buckets, kind="stable")
        bounds = np.searchsorted(buckets[order], np.arange(len(self._paths) + 1, dtype=np.uint64)).tolist()
        table = table.take(pa.array(order))
        for writer, start, stop in zip(self._writers, bounds[:-1], bounds[1:], strict=True):
            if start < stop:
                writer.write_table(table.slice(start, stop - start))

    def buckets(self) -> Iterator[pa.Table]:
        """All of them in the order of their hashes; each is deleted when it has been read."""
        for writer in self._writers:
            writer.close()
        for path in self._paths:
            with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
                yield stream.read_all()
            path.unlink()
