"""One row an answer: the table that a replay and a simulation both write, and every report reads."""

from pathlib import Path

import pandas as pd

from registry.errors import InvalidInput

ANSWERS_FILE = "answers.parquet"

ALONE = 0.0
"""The load of requests that were sent one at a time: no other one is there to contend with."""

COLUMNS = {
    "request": "which request: the same number in every policy, repeat and load",
    "policy": "how the waiting queue was ordered",
    "repeat": "which replay of the policy, from 0; two (2k, 2k + 1) are a plan and its reverse",
    "load": "arrival rate as a multiple of capacity; NaN for a burst, and where nobody measured it; 0 one at a time",
    "sent_s": "when the request was due by the plan, in seconds after the start",
    "prompt_tokens": "of the target LLM's tokenizer",
    "output_tokens": "of the target LLM's tokenizer",
    "ttft_s": "seconds from when it was due to the first token, the client's own lag (`lag_s`) among them",
    "e2e_s": "seconds from when it was due to the last token, the client's own lag (`lag_s`) among them",
}
"""What every table of answers holds. More columns may stand beside them: `cluster` says which requests are no evidence
beside each other (one session, one prompt drawn again), `replica` which engine answered, `preemptions` how often a
request lost its place in the KV cache (of a live engine the mean of its run), `recomputed_tokens` what that cost,
`recorded_tokens` what the log says where an answer may have another length.

The rows of one (policy, repeat, load) stand in the order of the plan: neighbours were sent after each other."""

RUN = ["policy", "repeat", "load"]
"""What names one run."""


def check_answers(answers: pd.DataFrame) -> pd.DataFrame:
    """Return the table if it holds every column, and at each load every run answered the same requests.

    Raises:
        InvalidInput: columns are missing, which the message names with what they mean; or runs answered other requests.
    """
    missing = [name for name in COLUMNS if name not in answers.columns]
    if missing:
        meanings = "; ".join(f"{name!r} ({COLUMNS[name]})" for name in missing)
        raise InvalidInput(
            f"a table of answers must hold one row an answer with the columns {', '.join(COLUMNS)}, but has no"
            f" {meanings}; replay or simulate anew, or add what is missing."
        )
    _check_requests(answers)
    return answers


def _check_requests(answers: pd.DataFrame) -> None:
    """Whatever compares policies compares them on the same requests."""
    if (twice := answers.duplicated([*RUN, "request"])).any():
        name, number = _name(answers[twice].iloc[0]), answers[twice].request.iloc[0]
        raise InvalidInput(f"a run answers a request once, but {name} answered {number} twice; compare whole runs.")
    for _, one in answers.groupby("load", dropna=False):
        runs = one.groupby(RUN, dropna=False, sort=False).request
        if (runs.transform("size") != one.request.nunique()).any():
            sizes = one.groupby(RUN[:2], sort=False).size().reset_index(name="answered").to_dict("records")
            counts = ", ".join(f"{size['policy']}/{size['repeat']:g}: {size['answered']}" for size in sizes)
            raise InvalidInput(
                f"policies are compared on the same requests, but of {one.request.nunique()} requests their runs"
                f" (policy/repeat) answered {counts}; compare whole runs."
            )


def _name(answer: pd.Series) -> str:
    return f"{answer['policy']} (repeat {answer['repeat']:g}, load {answer['load']:g})"


def write_answers(answers: pd.DataFrame, folder: Path) -> Path:
    """Write `answers.parquet` into the folder and return its path.

    Raises:
        InvalidInput: a column is missing.
    """
    path = folder / ANSWERS_FILE
    check_answers(answers).to_parquet(path, index=False)
    return path


def read_answers(path: Path) -> pd.DataFrame:
    """Read and check a table of answers.

    Raises:
        InvalidInput: no parquet file, or a column is missing.
    """
    if not path.is_file():
        raise InvalidInput(f"a table of answers must be a parquet file, but there is no file {path}.")
    return check_answers(pd.read_parquet(path))
