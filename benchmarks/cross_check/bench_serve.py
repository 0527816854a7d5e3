"""Runs `vllm bench serve` against a server with requests of ours, and reads what it measured."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pandas as pd

from benchmarks.cross_check.config import CrossCheckConfig
from benchmarks.endpoint.endpoint import Endpoint
from benchmarks.endpoint.plan import PlannedRequest
from benchmarks.endpoint.request_body import CHAT, COMPLETIONS
from benchmarks.failures import ReplayError

CLIENT = "benchmarks.cross_check.vllm_client"
BACKENDS = {"completions": ("openai", COMPLETIONS), "chat": ("openai-chat", CHAT)}
FCFS = 1
"""One priority for all requests: the engine then takes them as they come."""
SHOWN_CHARACTERS = 2000


@dataclass(frozen=True)
class BenchServe:
    """vLLM's client, as this check runs it."""

    config: CrossCheckConfig
    endpoint: Endpoint

    def run(self, requests: Sequence[PlannedRequest]) -> pd.DataFrame:
        """Send the requests once, in their order, at the arrivals that the client draws; one row an answer.

        Columns as in `benchmarks/answers.py`, without a policy; times count from when it sent, which it says.

        Raises:
            ReplayError: it failed, or a request did.
        """
        with TemporaryDirectory() as folder:
            data, result = Path(folder) / "requests.jsonl", Path(folder) / "result.json"
            rows = ({"prompt": one.prompt, "output_tokens": one.output_tokens} for one in requests)
            data.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
            ended = subprocess.run(
                [sys.executable, "-m", CLIENT, *self._flags(data, result, len(requests))],
                capture_output=True,
                text=True,
                check=False,
            )
            if ended.returncode or not result.exists():
                raise ReplayError(
                    f"vLLM's client must measure, but ended with exit code {ended.returncode}:"
                    f" {ended.stderr[-SHOWN_CHARACTERS:]}"
                )
            return answers_of(json.loads(result.read_text(encoding="utf-8")))

    def _flags(self, data: Path, result: Path, num_requests: int) -> list[str]:
        backend, route = BACKENDS[self.config.api]
        body = {"priority": FCFS} | ({"cache_salt": uuid4().hex} if self.endpoint.takes_cache_salt else {})
        flags: dict[str, object] = {
            "backend": backend,
            "endpoint": route,
            "base-url": self.endpoint.url,
            "model": self.endpoint.model,
            "tokenizer": self.config.llm_tokenizer,
            "dataset-name": "custom",
            "dataset-path": data,
            "custom-output-len": -1,
            "num-prompts": num_requests,
            "request-rate": self.config.rate_per_s or "inf",
            "seed": self.config.seed,
            "temperature": 0,
            "extra-body": json.dumps(body),
            "ready-check-timeout-sec": 0,
            "result-dir": result.parent,
            "result-filename": result.name,
        }
        switches = ["skip-chat-template", "disable-shuffle", "ignore-eos", "save-result", "save-detailed"]
        return [*(f"--{name}={value}" for name, value in flags.items()), *(f"--{name}" for name in switches)]


def answers_of(result: dict[str, list[object]]) -> pd.DataFrame:
    """One row an answer of what `--save-detailed` keeps.

    Raises:
        ReplayError: a request failed.
    """
    if failed := [error for error in result["errors"] if error]:
        raise ReplayError(f"every request must be answered, but of vLLM's client {len(failed)} failed: {failed[0]}")
    rows = pd.DataFrame(
        {
            "prompt_tokens": result["input_lens"],
            "output_tokens": result["output_lens"],
            "sent_s": result["start_times"],
            "ttft_s": result["ttfts"],
            "itls": result["itls"],
        }
    )
    rows["e2e_s"] = rows.ttft_s + rows.itls.map(sum)
    return rows.drop(columns="itls").assign(sent_s=rows.sent_s - rows.sent_s.min())
