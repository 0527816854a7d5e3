"""One row an answer: the table that a replay and a simulation both write, and every report reads."""

from pathlib import Path

import pandas as pd

from registry.errors import InvalidInput

ANSWERS_FILE = "answers.parquet"

COLUMNS = {
    "policy": "how the waiting queue was ordered",
    "repeat": "which replay of the policy, from 0; two (2k, 2k + 1) are a plan and its reverse",
    "load": "arrival rate as a multiple of capacity; NaN for a burst, and where nobody measured the capacity",
    "sent_s": "when the client sent the request, in seconds after the start",
    "prompt_tokens": "of the target LLM's tokenizer",
    "output_tokens": "of the target LLM's tokenizer",
    "ttft_s": "seconds from the client's send to the first token",
    "e2e_s": "seconds from the client's send to the last token",
}
"""What every table of answers holds. More columns may stand beside them (such as `replica`).

The rows of one (policy, repeat, load) stand in the order of the plan, so that the n-th answers of two policies with the
same repeat and load are to the same request."""


def check_answers(answers: pd.DataFrame) -> pd.DataFrame:
    """Return the table if it holds every column.

    Raises:
        InvalidInput: columns are missing; the message names them and says what they mean.
    """
    missing = [name for name in COLUMNS if name not in answers.columns]
    if missing:
        meanings = "; ".join(f"{name!r} ({COLUMNS[name]})" for name in missing)
        raise InvalidInput(
            f"a table of answers must hold one row an answer with the columns {', '.join(COLUMNS)}, but has no"
            f" {meanings}; replay or simulate anew, or add what is missing."
        )
    return answers


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
