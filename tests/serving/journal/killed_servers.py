"""Servers that are killed while they serve: `python -m tests.serving.journal.killed_servers FOLDER TIMES`.

Each is forked from this process, which has imported all that it needs, serves requests with a journal in FOLDER, and
notes in a file of its own when each was finished. Prints as JSON, for each of them, how old its rows were when it was
killed: those that the journal has, and those that it has not.
"""

import asyncio
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from serving.journal.files.journal_folder import JournalFolder, Limits
from tests.serving.journal.journals import Engine, Server, rows

REQUESTS_AT_ONCE = 20


async def serve_for_ever(folder: Path, name: str, finished: int) -> None:
    server = Server.start(folder)
    number = 0

    async def one(request_id: str) -> None:
        await server.serve(Engine(), {"prompt": "three short words"}, prompt="three short words", request_id=request_id)
        os.write(finished, f"{request_id} {time.monotonic()}\n".encode())

    while True:
        ids = [f"cmpl-{name}{number + index:012x}" for index in range(REQUESTS_AT_ONCE)]
        number += REQUESTS_AT_ONCE
        await asyncio.gather(*map(one, ids))
        await asyncio.sleep(0.02)


def kill_one(folder: Path, name: str, after_s: float) -> dict[str, float]:
    """When each of its requests was finished, as an age at its death."""
    path = folder.with_name(f"finished-{name}")
    process = os.fork()
    if process == 0:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        asyncio.run(serve_for_ever(folder, name, file))
        os._exit(1)
    time.sleep(after_s)
    os.kill(process, signal.SIGKILL)
    killed_s = time.monotonic()
    os.waitpid(process, 0)
    lines = path.read_text().splitlines() if path.exists() else []
    return {request_id: killed_s - float(at_s) for request_id, at_s in map(str.split, lines)}


def main(folder: Path, times: int) -> None:
    moments = random.Random(0)
    ages = [kill_one(folder, f"{number:04x}", moments.uniform(0.3, 1.0)) for number in range(times)]
    JournalFolder(folder, Limits(1 << 30, 30)).settle()  # what the next server does at its start
    noted = {row["request_id"] for row in rows(folder)}
    found = [
        {
            "kept": sorted(age for request_id, age in its.items() if request_id in noted),
            "lost": sorted(age for request_id, age in its.items() if request_id not in noted),
        }
        for its in ages
    ]
    sys.stdout.write(json.dumps({"servers": found, "left": [path.name for path in folder.glob("*.jsonl")]}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
