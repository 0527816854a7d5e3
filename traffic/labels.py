"""One label a distinct prompt, of all labelled rows: counted and sorted in Arrow's memory."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from traffic.samples import label_of
from traffic.split import hashes_of
from traffic.texts import Texts, table_of


class LabelledRow(NamedTuple):
    """One labelled answer."""

    prompt: str
    output_tokens: int
    is_censored: bool
    group: str


ROWS = pa.schema(
    [
        pa.field("prompt", pa.large_string()),
        pa.field("output_tokens", pa.int64()),
        pa.field("is_censored", pa.bool_()),
        pa.field("group", pa.large_string()),
    ]
)


class PromptLabels(NamedTuple):
    """Distinct prompts in the order of their hashes, each with its label and its group (the least of its rows')."""

    prompts: Texts
    groups: Texts
    output_tokens: npt.NDArray[np.float64]
    is_censored: npt.NDArray[np.bool_]

    def digest(self) -> str:
        """A digest of the labels, whatever the files and their order; 32 characters, since MLflow takes at most 36."""
        digest = blake2b(digest_size=16)
        for label in zip(self.prompts, self.output_tokens.tolist(), self.is_censored.tolist(), strict=True):
            digest.update(repr(label).encode())
        return digest.hexdigest()


def label_prompts(rows: Iterable[LabelledRow]) -> PromptLabels:
    """One label for all rows of a prompt."""
    samples = table_of(rows, ROWS).group_by("prompt")
    samples = samples.aggregate([("output_tokens", "list"), ("is_censored", "list"), ("group", "min")])
    samples = samples.append_column("hash", pa.array(hashes_of(Texts(samples["prompt"]))))
    samples = samples.sort_by([("hash", "ascending"), ("prompt", "ascending")])
    labels = _labels(samples["output_tokens_list"], samples["is_censored_list"])
    return PromptLabels(Texts(samples["prompt"]), Texts(samples["group_min"]), *labels)


def _labels(
    tokens: pa.ChunkedArray, censored: pa.ChunkedArray
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """The labels of the lists of samples; most prompts have one, which is their label."""
    sizes = pc.list_value_length(tokens).to_numpy().astype(np.int64)
    ends = np.cumsum(sizes)
    samples, is_cut = (pc.list_flatten(one).to_numpy(zero_copy_only=False) for one in (tokens, censored))
    output_tokens, is_censored = samples[ends - sizes].astype(np.float64), is_cut[ends - sizes].copy()
    for place in np.flatnonzero(sizes > 1):
        its = slice(ends[place] - sizes[place], ends[place])
        output_tokens[place], is_censored[place] = label_of(samples[its].tolist(), is_cut[its].tolist())
    return output_tokens, is_censored
