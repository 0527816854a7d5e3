"""Requests as OpenAI batch files: for an LLM that is asked elsewhere, by `vllm run-batch`, Ray or a hosted service.

The results name the same `custom_id`, and lie beside the requests: the folder of both is a log.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from registry.errors import InvalidInput
from terminal.progress import track
from traffic.collect.questions import Question

VERSION = "/v1"
MOST_REQUESTS, MOST_BYTES = 50_000, 200_000_000
"""Of one file, as OpenAI takes them; what has no such limits takes these too."""
NAME = "requests-{:05}.jsonl"


def write_batches(
    folder: Path,
    path: str,
    questions: Iterable[Question],
    most_requests: int = MOST_REQUESTS,
    most_bytes: int = MOST_BYTES,
) -> list[Path]:
    """Write the requests to files of the folder and return them; each is whole as soon as it is there.

    Raises:
        InvalidInput: requests lie there already, or it cannot be written.
    """
    shown = track(questions, "write requests", "requests")
    lines = (json.dumps(_request(one, path), ensure_ascii=False) + "\n" for one in shown)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _require_none(folder)
        return [
            _written(folder / NAME.format(number), batch)
            for number, batch in enumerate(_batches(lines, most_requests, most_bytes), 1)
        ]
    except OSError as error:
        raise InvalidInput(f"batch_out must be a folder that can be written, but {folder} is not: {error}.") from error


def _require_none(folder: Path) -> None:
    there = sorted(folder.glob(NAME.format(0).replace("00000", "*")))
    if there:
        raise InvalidInput(
            f"batch_out must be a folder without requests, but {there[0]} is there; give another one, and out={folder}"
            " beside it leaves out what was answered there."
        )


def _request(question: Question, path: str) -> Mapping[str, Any]:
    return {"custom_id": question.request_id, "method": "POST", "url": VERSION + path, "body": question.body}


def _batches(lines: Iterable[str], most_requests: int, most_bytes: int) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    num_bytes = 0
    for line in map(str.encode, lines):
        if batch and (len(batch) == most_requests or num_bytes + len(line) > most_bytes):
            yield batch
            batch, num_bytes = [], 0
        batch.append(line)
        num_bytes += len(line)
    if batch:
        yield batch


def _written(path: Path, lines: list[bytes]) -> Path:
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(b"".join(lines))
    return part.replace(path)
