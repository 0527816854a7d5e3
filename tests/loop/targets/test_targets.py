"""`pars targets`: a line for each target LLM, whatever is broken of another one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import mlflow
import numpy as np
import pandas as pd
import pytest

from loop.targets.all_targets import read_targets
from loop.targets.config import TargetsConfig
from loop.targets.live import live_source
from loop.targets.target_line import Live, TargetLine
from loop.targets.target_table import shown
from registry import store
from registry.errors import InvalidInput
from registry.watch import YESTERDAY_TAG
from tests.conftest import tracking
from tests.rankers import write_ranker
from tests.serving.champion.yesterdays import SAID

NOW_S = 1_800_000_000.0


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """`judged` has a champion that the gate promoted, `by-hand` one that passed none, `new` a challenger, `broken` a
    champion that is gone."""
    folder = tmp_path_factory.mktemp("fleet")
    with tracking(f"sqlite:///{folder / 'mlflow.db'}"):
        experiment = mlflow.create_experiment("fleet", (folder / "artifacts").as_uri())
        for name in ("judged", "by-hand", "new", "broken"):
            with mlflow.start_run(experiment_id=experiment):
                store.register(write_ranker(folder / name, name))
        client = mlflow.MlflowClient()
        for name in ("judged", "by-hand", "broken"):
            store.promote(name, 1)
        client.set_model_version_tag("pars-judged", "1", "gate", "promoted")
        client.set_model_version_tag("pars-judged", "1", "static_gain_s_per_token", "0.81")
        for tag, value in {
            "watch": "alarm: kendall_tau_b",
            "watch_at": "2026-11-27T04:00:00Z",
            YESTERDAY_TAG: SAID.model_dump_json(),
        }.items():
            client.set_registered_model_tag("pars-judged", tag, value)
        client.set_registered_model_tag("pars-by-hand", YESTERDAY_TAG, "by hand, too")
        client.delete_model_version("pars-broken", "1")
        yield folder


def lines(**settings: object) -> dict[str, TargetLine]:
    found = read_targets(TargetsConfig(**settings), NOW_S)  # type: ignore[arg-type]
    assert [one.target_llm for one in found] == sorted(one.target_llm for one in found)
    return {one.target_llm: one for one in found}


def journal(folder: Path) -> Path:
    """100 answers of each of two versions in two days: the champion's in the right order, the others reversed."""
    folder.mkdir(exist_ok=True)
    tokens = np.arange(1, 201)
    is_champion = np.arange(200) >= 100
    pd.DataFrame(
        {
            "model": "judged",
            "arrival_s": NOW_S - 2 * 86_400 + np.linspace(0, 2 * 86_400, 200),
            "prompt": None,
            "prompt_key": "digest",
            "output_tokens": tokens,
            "ending": "ended",
            "predicted_tokens": np.where(is_champion, tokens, 500 - tokens).astype(float),
            "correction": 1.25,
            "ranker_version": np.where(is_champion, "models:/pars-judged/1", "models:/pars-judged/0"),
        }
    ).to_parquet(folder / "rows.parquet")
    return folder


@pytest.mark.usefixtures("fleet")
def test_the_registry_says_who_is_champion_and_how_it_became_one() -> None:
    found = lines()
    judged, by_hand = found["judged"], found["by-hand"]
    assert (judged.champion, judged.kendall_tau_b, judged.static_gain, judged.gate) == (1, 0.5, 0.81, "promoted")
    assert (judged.alarm, judged.alarm_at) == ("alarm: kendall_tau_b", "2026-11-27T04:00:00Z")
    assert judged.yesterday == "2026-11-26: FCFS 3.40x (3.10 to 3.70)"
    assert judged.trouble is None
    assert judged.age_days is not None
    assert (by_hand.gate, by_hand.yesterday, by_hand.trouble) == ("none", None, None)


@pytest.mark.usefixtures("fleet")
def test_one_that_is_broken_says_so_and_hides_no_other() -> None:
    found = lines()
    assert {*found} == {"judged", "by-hand", "new", "broken"}
    assert found["new"].trouble == "no champion; version 1 is proposed"
    assert found["broken"].trouble


def test_live_figures_are_of_the_champion_alone_and_need_no_texts(fleet: Path) -> None:
    found = lines(journal=journal(fleet / "journal"))
    live = found["judged"].live
    assert (live.kendall_tau_b, live.static_gain, live.answers, live.correction) == (1.0, 1.0, 200, 1.25)
    assert live.answers_a_day == pytest.approx(99.5)
    assert found["new"].live == Live(answers=0)


@contextmanager
def served_page(text: str) -> Iterator[str]:
    """A server whose every page is this text."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_servers_page_says_the_same() -> None:
    page = """# TYPE pars_kendall_tau_b gauge
pars_kendall_tau_b{target_llm="judged"} 0.42
# TYPE pars_static_gain gauge
pars_static_gain{target_llm="judged"} NaN
# TYPE pars_drift_alarm gauge
pars_drift_alarm{target_llm="judged",what="kendall_tau_b"} 1.0
pars_drift_alarm{target_llm="judged",what="calibration"} 0.0
pars_drift_alarm{target_llm="calm",what="calibration"} 0.0
"""
    with served_page(page) as url:
        live = live_source(TargetsConfig(url=url))
    assert live("judged", 1) == Live(kendall_tau_b=0.42, alarm="alarm: kendall_tau_b")
    assert live("calm", 1) == Live(alarm="quiet")
    assert live("unknown", None) == Live()


def test_a_server_that_is_not_there_is_an_error() -> None:
    with pytest.raises(InvalidInput, match="url must be that of a running server"):
        live_source(TargetsConfig(url="http://127.0.0.1:9"))


def test_a_journal_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="journal must be the folder of a server's journal"):
        TargetsConfig(journal=tmp_path / "nowhere")


LINES = [
    TargetLine(target_llm="a", champion=12, age_days=40.2, kendall_tau_b=0.5, gate="none", alarm="quiet"),
    TargetLine(target_llm="much-longer/name", trouble="no champion"),
]


def test_elsewhere_than_on_a_terminal_lines_are_plain_and_aligned() -> None:
    text = shown(LINES, is_json=False, is_terminal=False, width=20)
    title, first, second = text.splitlines()
    assert "\x1b" not in text
    assert first.split()[:5] == ["a", "12", "40", "d", "0.500"]
    assert "passed none" in first
    assert second.endswith("no champion")
    assert title.index("champion") + len("champion") == first.index("12") + 2


def test_a_terminal_gets_colours_within_its_width() -> None:
    text = shown(LINES, is_json=False, is_terminal=True, width=120)
    assert "\x1b[31m" in text


def test_json_has_everything() -> None:
    found = json.loads(shown(LINES, is_json=True, is_terminal=True, width=20))
    assert [one["target_llm"] for one in found] == ["a", "much-longer/name"]
    assert found[0]["kendall_tau_b"] == 0.5
    assert found[0]["live"]["kendall_tau_b"] is None


def test_an_empty_registry_says_what_to_do() -> None:
    assert "train a ranker with" in shown([], is_json=False, is_terminal=False, width=20)
