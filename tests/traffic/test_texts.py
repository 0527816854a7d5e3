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
    LabelledRow,
    st.sampled_from("abcd 🦉"),
    *(st.integers(1, 50), st.booleans(), GROUPS, st.none() | st.integers(0, 9), st.none() | st.sampled_from("pq")),
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
    samples: dict[tuple[str, str], list[LabelledRow]] = defaultdict(list)
    of_prompt: dict[str, list[LabelledRow]] = defaultdict(list)
    for row in rows:
        samples[row.prompt, row.asked or ""].append(row)
        of_prompt[row.prompt].append(row)
    requests = sorted(samples, key=lambda one: (hash_of(one[0]), *one))
    has_asked = any(row.asked for row in rows)
    expected = [
        label_of([row.output_tokens for row in samples[one]], [row.is_censored for row in samples[one]])
        for one in requests
    ]
    found = label_prompts([table_of(rows, ROWS)])
    assert list(found.prompts) == [prompt for prompt, _ in requests]
    assert (None if found.asked is None else list(found.asked)) == ([one for _, one in requests] if has_asked else None)
    groups = {prompt: min(row.group or prompt for row in its) for prompt, its in of_prompt.items()}
    assert list(found.groups) == [groups[prompt] for prompt, _ in requests], "no prompt stands in two groups"
    assert list(zip(found.output_tokens, found.is_censored, strict=True)) == expected
    assert found.occurrences.tolist() == [len(samples[one]) for one in requests]
    known = [[row.prompt_tokens for row in samples[one] if row.prompt_tokens] for one in requests]
    assert found.prompt_tokens == pytest.approx([np.mean(one) if one else np.nan for one in known], nan_ok=True)
    digest = blake2b(digest_size=16)
    for (prompt, asked), (tokens, is_censored) in zip(requests, expected, strict=True):
        digest.update(repr((prompt, tokens, is_censored, *([asked] if has_asked else []))).encode())
    assert found.digest() == digest.hexdigest()
