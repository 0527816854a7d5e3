"""Labels of more rows than memory holds are those of memory."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traffic.labelling.labels import ROWS, LabelledRow, PromptLabels, label_prompts
from traffic.stored_texts import StoredTexts, TextsWriter
from traffic.texts import BATCH_ROWS, Texts, table_of

ROW = st.builds(
    LabelledRow,
    st.text("abc🦉", max_size=3),
    st.integers(1, 50),
    st.booleans(),
    st.none() | st.sampled_from("xyz"),
    st.none() | st.integers(0, 9),
    st.none() | st.sampled_from("pq"),
)


def labels_of(rows: Sequence[LabelledRow], most_bytes: int) -> PromptLabels:
    parts = [rows[start : start + 10] for start in range(0, len(rows), 10)]
    return label_prompts((table_of(part, ROWS) for part in parts), most_bytes)


@settings(deadline=None, max_examples=30)
@given(st.lists(ROW, min_size=1, max_size=60))
def test_what_is_sorted_on_disk_is_what_is_sorted_in_memory(rows: list[LabelledRow]) -> None:
    memory, disk = labels_of(rows, 1 << 30), labels_of(rows, 0)
    assert isinstance(disk.prompts, StoredTexts) and not isinstance(memory.prompts, StoredTexts)
    assert disk.digest() == memory.digest() and disk.have_groups == memory.have_groups
    assert list(disk.prompts) == list(memory.prompts) and list(disk.groups) == list(memory.groups)
    assert (disk.asked and list(disk.asked)) == (memory.asked and list(memory.asked))
    for one, other in zip(disk[3:], memory[3:], strict=True):
        np.testing.assert_allclose(one, other)


@pytest.fixture(scope="module")
def texts() -> tuple[list[str], StoredTexts]:
    many = [f"text {number}" for number in range(BATCH_ROWS + 10)]
    writer = TextsWriter()
    for start, stop in ((0, 7), (7, 7), (7, len(many))):
        writer.add(Texts(pa.chunked_array([many[start:stop]], pa.large_string())))
    return many, writer.stored()


def test_stored_texts_are_a_sequence(texts: tuple[list[str], StoredTexts]) -> None:
    many, stored = texts
    assert list(stored) == many and stored == many and len(stored) == len(many)
    assert (stored[0], stored[8], stored[-1]) == (many[0], many[8], many[-1])
    for part in (slice(5, 9), slice(None), slice(3, 3), slice(BATCH_ROWS, None), slice(10, 0, -3)):
        assert list(stored[part]) == many[part]
    with pytest.raises(IndexError):
        stored[len(many)]


def test_places_are_taken_in_their_order(texts: tuple[list[str], StoredTexts]) -> None:
    many, stored = texts
    places = np.array([BATCH_ROWS + 9, 0, 7, 7, 6, BATCH_ROWS])
    assert stored.take(places) == tuple(many[place] for place in places)
    assert stored.take(places[:0]) == ()


def test_the_file_goes_with_the_texts() -> None:
    writer = TextsWriter()
    writer.add(Texts(pa.chunked_array([["a"]], pa.large_string())))
    stored = writer.stored()
    path = writer._path
    del writer
    assert path.exists() and list(stored) == ["a"]
    del stored
    assert not path.exists()
