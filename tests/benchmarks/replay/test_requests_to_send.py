"""Which prompts of a replay are sent as chats."""

import json
from pathlib import Path

import pytest

from benchmarks.replay.config import Api, ReplayConfig
from benchmarks.replay.requests_to_send import requests_to_send
from traffic.length_log import read_length_log

CHAT = [{"role": "system", "content": "Be kind"}, {"role": "user", "content": "Hi"}]
TEXT = "system: Be kind\n\nuser: Hi"
AS_USER = [{"role": "user", "content": "Hello"}]


@pytest.mark.parametrize(
    ("api", "sent"),
    [("auto", {TEXT: CHAT}), ("completions", {}), ("chat", {TEXT: CHAT, "Hello": AS_USER})],
)
def test_prompts_are_sent_as_the_log_holds_them_or_as_asked(tmp_path: Path, api: Api, sent: dict[str, object]) -> None:
    log = tmp_path / "log.jsonl"
    rows = [{"messages": CHAT, "output_tokens": 3}, {"prompt": "Hello", "output_tokens": 4}]
    log.write_text("\n".join(map(json.dumps, rows)))
    config = ReplayConfig(lengths=log, target_llm="llm", api=api)
    found = requests_to_send(config, read_length_log(config))
    assert {view.text: one.chat for view, one in found.items() if one.chat is not None} == sent
