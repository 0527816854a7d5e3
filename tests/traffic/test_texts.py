"""`traffic/texts.py` and `labels.py`: the same as with Python's own lists."""

from collections import defaultdict
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic.labelling.labels import ROWS, LabelledRow, label_prompts
from traffic.labelling.samples import label_of
from traffic.split import hash_of
from traffic.texts import BATCH_ROWS, Texts, table_of, taken

GROUPS = st.none() | st.sampled_from("xyz")
ROW = st.builds(
    LabelledRow, st.sampled_from("abcdefg 🦉"), st.integers(1, 50), st.booleans(), GROUPS, st.none() | st.integers(0, 9)
)
MANY = st.lists(ROW, min_size=1, max_size=40)


def test_texts_are_a_sequence() -> None:
    many = [f"text {number}" for number in range(BATCH_ROWS + 10)]
    texts = Texts(pa.chunked_array([many[:7], many[7:]], pa.large_string()))
    assert list(texts) == many
    assert texts == many
    assert texts != many[:-1]
    assert (texts[8], list(texts[5:9]), len(texts), texts.count("text 3")) == ("text 8", many[5:9], len(many), 1)
    places = np.array([8, 0, BATCH_ROWS + 9])
    assert taken(texts, places) == taken(many, places) == (many[8], many[0], many[-1])


def test_an_empty_table_has_its_columns() -> None:
    assert table_of([], pa.schema([("a", pa.int64())])).column_names == ["a"]


@given(MANY)
def test_labels_are_those_of_plain_python(rows: list[LabelledRow]) -> None:
    samples: dict[str, list[LabelledRow]] = defaultdict(list)
    for row in rows:
        samples[row.prompt].append(row)
    prompts = sorted(samples, key=lambda prompt: (hash_of(prompt), prompt))
    expected = [
        label_of([row.output_tokens for row in samples[one]], [row.is_censored for row in samples[one]])
        for one in prompts
    ]
    found = label_prompts([table_of(rows, ROWS)])
    assert list(found.prompts) == prompts
    assert list(found.groups) == [min(row.group or prompt for row in samples[prompt]) for prompt in prompts]
    assert list(zip(found.output_tokens, found.is_censored, strict=True)) == expected
    assert found.occurrences.tolist() == [len(samples[prompt]) for prompt in prompts]
    known = [[row.prompt_tokens for row in samples[one] if row.prompt_tokens] for one in prompts]
    assert found.prompt_tokens == pytest.approx([np.mean(one) if one else np.nan for one in known], nan_ok=True)
    digest = blake2b(digest_size=16)
    for prompt, (tokens, is_censored) in zip(prompts, expected, strict=True):
        digest.update(repr((prompt, tokens, is_censored)).encode())
    assert found.digest() == digest.hexdigest()
