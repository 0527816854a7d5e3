"""`serving/correction/state_file.py` and `start.py`: what is known outlives a restart, and nothing else does."""

import json
import logging
from contextlib import AsyncExitStack
from math import inf, log
from pathlib import Path

import pytest

from registry.request_features import RequestView, view_of
from serving.config import Settings
from serving.correction.corrections import Corrections
from serving.correction.kept_corrections import start_corrections
from serving.correction.state_file import read_state, state_of, write_state
from serving.correction.target_correction import TargetCorrection
from serving.journal.keys import Keys
from serving.origin import NOBODY, Origin


def taught(times: float = 2.0) -> TargetCorrection:
    target = TargetCorrection("digest", lambda: 0.0)
    for origin in (NOBODY, Origin("tenant", "template")):
        for _ in range(40):
            target.end(target.begin(origin, lambda: -inf), log(times), is_whole=True)
    target.look()
    return target


def test_what_is_known_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "correction" / "state.json"
    known = {"llm": taught(), "other": taught(0.5)}
    write_state(path, state_of(known))
    found = read_state(path, lambda: 0.0)
    assert found.keys() == known.keys()
    for name, target in known.items():
        assert found[name].digest == "digest"
        for origin in (NOBODY, Origin("tenant", "template"), Origin("never", "seen")):
            assert found[name].factor(origin) == pytest.approx(target.factor(origin))
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"version": 2, "targets": {}}',
        *(
            '{"version": 1, "targets": {"llm": {"digest": "d", "tenants":'
            f' [{{"name": "a", "seen": [{seen}], "templates": []}}]}}}}}}'
            for seen in ("1, NaN", "-1, 0", "1", '"x", 0')
        ),
        '{"version": 1, "targets": {"llm": {"digest": "d", "tenants": "x"}}}',
    ],
)
def test_a_file_that_nobody_wrote_here_is_left_out_with_one_warning(
    text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state.json").write_text(text)
    assert read_state(tmp_path / "state.json", lambda: 0.0) == {}
    assert len(caplog.records) == 1


async def test_a_server_goes_on_where_the_one_before_ended(tmp_path: Path) -> None:
    settings = Settings(cache=tmp_path / "rankers")
    async with AsyncExitStack() as stack:
        corrections = start_corrections(settings, stack)
        corrections.begin_with({"llm": taught()})
        origin = corrections.origin("Bearer somebody", None, _view())
    async with AsyncExitStack() as stack:
        again = start_corrections(settings, stack)
        assert again.factor("llm", "digest", NOBODY) == pytest.approx(corrections.factor("llm", "digest", NOBODY))
        assert again.origin("Bearer somebody", None, _view()) == origin, "by the same key"
    text = (tmp_path / "correction" / "state.json").read_text()
    assert "somebody" not in text
    assert json.loads(text)["targets"].keys() == {"llm"}


async def test_a_disk_that_cannot_be_written_costs_only_the_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "correction").write_text("a file where a folder must be")
    async with AsyncExitStack() as stack:
        corrections = start_corrections(Settings(cache=tmp_path / "rankers"), stack)
        assert corrections.origin("key", None, _view()) != NOBODY
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


async def test_a_damaged_key_stops_no_server(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    key = tmp_path / "correction" / ".journal" / "key"
    key.parent.mkdir(parents=True)
    key.write_bytes(b"\xff\xfe")
    async with AsyncExitStack() as stack:
        corrections = start_corrections(Settings(cache=tmp_path / "rankers"), stack)
        assert corrections.origin("key", None, _view()) != NOBODY
    assert "will not outlive this server" in caplog.text


async def test_switched_off_it_writes_nothing(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        corrections = start_corrections(Settings(cache=tmp_path / "rankers", correction=False), stack)
        corrections.begin_with({"llm": taught()})
        assert corrections.factor("llm", "digest", NOBODY) == 1
    assert list(tmp_path.iterdir()) == []


def test_another_ranker_begins_anew() -> None:
    corrections = Corrections(Keys("secret"), lambda: 0.0)
    corrections.begin_with({"llm": taught()})
    assert corrections.factor("llm", "digest", NOBODY) > 1.5
    assert corrections.factor("llm", "another", NOBODY) == 1
    assert corrections.factor("llm", "digest", NOBODY) == 1, "what was known of the old one is gone"


def _view() -> RequestView:
    return view_of("any text")
