"""The demo's LLM is asked through the real server: what is recorded is what the law says of its answers."""

import json
from pathlib import Path

from benchmarks.demo.length_law import drawn_tokens
from tests.servers import RunningServer
from traffic.collect.answer_folder import ANSWERS
from traffic.collect.collect import collect
from traffic.collect.config import CollectConfig

PROMPTS = ["Define spoons.", "Define socks.", "What do people like about apples?"]
LIMIT_TOKENS = 20


def test_the_lengths_of_an_llm_that_ends_its_answers_are_recorded(server: RunningServer, tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("\n".join(PROMPTS))
    out = tmp_path / "out"
    collect(
        CollectConfig(
            prompts=prompts, base_url=server.url, model="demo-llm", out=out, samples=2, max_tokens=LIMIT_TOKENS
        )
    )
    rows = [json.loads(line) for line in (out / ANSWERS).read_text().splitlines()]
    found = {
        (row["messages"][0]["content"], row["params"]["seed"]): (row["output_tokens"], row["ending"]) for row in rows
    }
    drawn = {(prompt, seed): drawn_tokens(prompt, seed) for prompt in PROMPTS for seed in range(2)}
    expected = {
        key: (min(tokens, LIMIT_TOKENS), "cut" if tokens > LIMIT_TOKENS else "ended") for key, tokens in drawn.items()
    }
    assert found == expected
