"""Real servers that are killed while they answer: `python -m tests.serving.journal.killed_endpoints LLM FOLDER TIMES`.

Each is a `bentoml serve` with vLLM's engine, which journals in FOLDER what it is asked until SIGKILL ends all of its
processes at once; the next one finds what that left. Prints how many of the answers that had come the journal has, and
how old those are that it has not. A start takes a minute.
"""

import asyncio
import random
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx
import psutil

from serving.journal.files.journal_folder import JournalFolder, Limits
from tests.servers import VLLM_ARGS, RunningServer, free_port, running
from tests.serving.journal.journals import rows

REQUESTS_AT_ONCE = 16
MODEL = "killed-llm"


def kill_one(llm: Path, folder: Path, name: str, after_s: float) -> dict[str, float]:
    """When each of its answers came, as an age at its death."""
    settings = {
        "PARS_TARGET_LLM": MODEL,
        "PARS_LLM": str(llm),
        "PARS_VLLM_ARGS": f"{VLLM_ARGS} --max-num-seqs 16 --served-model-name {MODEL}",
        "PARS_JOURNAL": "text",
        "PARS_JOURNAL_DIR": str(folder.absolute()),
    }
    port = free_port()
    with running(["bentoml", "serve", "--port", str(port)], port, settings, folder.with_name(f"{name}.log")) as server:
        return asyncio.run(_ask_and_kill(server, name, after_s))


async def _ask_and_kill(server: RunningServer, name: str, after_s: float) -> dict[str, float]:
    answered_s: dict[str, float] = {}
    async with server.client() as client:
        asking = [
            asyncio.create_task(_ask_for_ever(client, f"{name} {number}", answered_s))
            for number in range(REQUESTS_AT_ONCE)
        ]
        await asyncio.sleep(after_s)
        killed_s = _kill_all(server.pid)
        await asyncio.gather(*asking)
    return {prompt: killed_s - at_s for prompt, at_s in answered_s.items()}


def _kill_all(pid: int) -> float:
    """When it was done. The worker that answers has a process group of its own, and so has the engine."""
    server = psutil.Process(pid)
    for process in [*server.children(recursive=True), server]:
        process.kill()
    return time.monotonic()


async def _ask_for_ever(client: httpx.AsyncClient, name: str, answered_s: dict[str, float]) -> None:
    number = 0
    with suppress(httpx.TransportError):  # it was killed
        while True:
            prompt = f"request {name} {number}"
            body = {"model": MODEL, "prompt": prompt, "max_tokens": 4, "ignore_eos": True}
            (await client.post("/v1/completions", json=body)).raise_for_status()
            answered_s[prompt] = time.monotonic()
            number += 1


def main(llm: Path, folder: Path, times: int) -> None:
    moments = random.Random(0)
    ages = [kill_one(llm, folder, f"{number:04x}", moments.uniform(3, 8)) for number in range(times)]
    JournalFolder(folder, Limits(1 << 30, 30)).settle()  # what the next server does at its start
    noted = {row["prompt"] for row in rows(folder)}
    lost_s = sorted(age_s for its in ages for prompt, age_s in its.items() if prompt not in noted)
    answered = sum(map(len, ages))
    oldest = f", the oldest {lost_s[-1]:.3f} s old" if lost_s else ""
    sys.stdout.write(f"{times} kills: {answered} answers, {len(lost_s)} not in the journal{oldest}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
