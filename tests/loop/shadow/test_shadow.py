"""A planted challenger beside a planted champion, on a journal whose truth is known."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copyfile
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from loop.shadow.config import ShadowConfig
from loop.shadow.rivals_on_record import read_rivals
from loop.shadow.shadow import compare_rivals, run_shadow
from loop.shadow.shadow_report import ShadowReport
from registry import store
from registry.artefact.card import InvalidRanker
from registry.errors import InvalidInput
from tests.benchmarks.what_if.conftest import COST, SERVERS, simulate
from tests.conftest import tracking
from tests.rankers import write_ranker

START_S = 1_790_035_200.0
POEM, TABLE = "write a poem", "make a table"
SECRET = "river"
COUNTS_BOTH = {"more": 1.0, "extra": 1.0}


def journal_rows(requests: int = 600, table_share: float = 0.3, seed: int = 0) -> list[dict[str, Any]]:
    """Poems are as long as their `more`s say, tables as their `extra`s; a table's tenant is `b`."""
    rng = np.random.default_rng(seed)
    rows = []
    for number, (asks, is_table) in enumerate(
        zip(rng.integers(1, 50, requests).tolist(), (rng.random(requests) < table_share).tolist(), strict=True)
    ):
        template, word = (TABLE, "extra") if is_table else (POEM, "more")
        rows.append(
            {
                "request_id": f"r{number}",
                "arrival_s": START_S + number * 0.09,
                "model": "demo-llm",
                "prompt": f"{template} {SECRET} " + f"{word} " * asks,
                "prompt_tokens": 5 + asks,
                "output_tokens": int(np.ceil(np.exp(asks / 10) * rng.uniform(0.9, 1.1))),
                "ending": "ended",
                "session": f"s{number // 2}",
                "tenant": "b" if is_table else "a",
            }
        )
    return rows


def write_journal(folder: Path, rows: list[dict[str, Any]]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "20260922T000000Z-000000-1-a.open.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@dataclass(frozen=True)
class Planted:
    """A registry: version 1, the champion, does not know tables; 2, the challenger, does; 3 orders as 1 does."""

    uri: str
    journal: Path
    folder: Path

    def config(self, **changes: Any) -> ShadowConfig:
        given = {"target_llm": "demo-llm", "journal": self.journal, "max_num_seqs": SERVERS, "window": 200}
        return ShadowConfig(**given | changes)

    def compared(self, **changes: Any) -> ShadowReport:
        config = self.config(**changes)
        with tracking(self.uri):
            return compare_rivals(config, read_rivals(config), COST, simulate)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Planted:
    folder = tmp_path_factory.mktemp("shadow")
    uri = f"sqlite:///{copyfile(empty_database, folder / 'mlflow.db')}"
    with tracking(uri):
        experiment = mlflow.create_experiment("shadow", (folder / "artifacts").as_uri())
        for name, words in (("1", {"more": 1.0}), ("3", {"more": 1.0, "poem": 0.25}), ("2", COUNTS_BOTH)):
            with mlflow.start_run(experiment_id=experiment):
                store.register(write_ranker(folder / name, weight=0.0, word_weights=words, instant_weight=0.5))
        store.promote("demo-llm", 1)
    return Planted(uri, write_journal(folder / "journal", journal_rows()), folder)


def test_challenger_that_is_better_on_one_template_only_is_found_there(planted: Planted) -> None:
    report = planted.compared()
    assert report.found.verdict.startswith("The challenger orders better: tau-b 0.9")
    template = next(one for one in report.groups if one.kind == "template")
    assert (template.name, template.is_sure) == ("2", True), "tables are the second most frequent"
    assert template.difference.low > 0.2
    poems = next(one for one in report.groups if (one.kind, one.name) == ("template", "1"))
    assert poems.difference.value < template.difference.value / 2
    tenant = next(one for one in report.groups if one.kind == "tenant")
    assert (tenant.name, tenant.is_sure) == ("b", True)
    assert any("template 2" in one for one in report.sentences)
    worst = report.found.differing_requests[0]
    assert report.found.requests.tenants[worst.place] == "b"


def test_both_tiers_are_compared_with_their_differences(planted: Planted) -> None:
    report = planted.compared(max_simulated_tokens=0)
    assert [one.tier for one in report.found.of_tiers] == ["encoder", "instant"]
    for one in report.found.of_tiers:
        assert one.differences["kendall_tau_b"].low > 0
        assert one.differences["static_gain_s_per_token"].low > 0
    assert {"champion_instant_kendall_tau_b", "difference_encoder_static_gain_e2e_low"} <= report.found.of_tiers[
        0
    ].metrics.keys() | report.found.of_tiers[1].metrics.keys()
    assert any("No queue was simulated" in one for one in report.sentences)


def test_challenger_that_orders_alike_is_not_said_to_differ(planted: Planted) -> None:
    report = planted.compared(version="2", max_simulated_tokens=0)
    assert report.found.verdict.startswith("No sure difference")
    assert not any(one.is_sure for one in report.groups)
    assert any("the two order none surely otherwise" in one for one in report.sentences)


def test_queue_under_both_orders_stands_beside_first_come_first_served_and_the_oracle(planted: Planted) -> None:
    report = planted.compared()
    assert report.simulation is not None
    answers = report.simulation.answers
    assert list(answers.policy.unique()) == ["fcfs", "champion", "challenger", "oracle"]
    assert answers.load.nunique() > 3
    assert report.simulation.has_waiting
    assert report.simulation.gain.low > 0
    assert any("the challenger takes" in one for one in report.sentences)


def test_requests_that_may_have_trained_a_ranker_do_not_make_the_verdict(planted: Planted, tmp_path: Path) -> None:
    report = planted.compared(max_simulated_tokens=0)
    assert 0 < report.found.num_unseen < 100, "all came before the rankers were made, and a tenth is test by its hash"
    assert "but one may have been trained on these requests" in report.found.verdict
    assert "too few to be judged by" in report.found.seen
    later = [row | {"arrival_s": row["arrival_s"] + 1e9} for row in journal_rows(300, seed=1)]
    journal = write_journal(tmp_path / "later", [*journal_rows(), *later])
    report = planted.compared(max_simulated_tokens=0, journal=journal, days=1e6)
    assert report.found.of_unseen is not None
    assert 300 <= report.found.num_unseen < 400
    assert "on these alone the verdict is made" in report.found.seen
    report = planted.compared(max_simulated_tokens=0, journal=write_journal(tmp_path / "all", later))
    assert report.found.seen == "None of these requests can have trained either ranker."
    assert report.found.verdict.endswith(f"instead of {report.found.judged.champion['kendall_tau_b']:.3f}")


def test_loose_ranker_is_compared_by_its_folder(planted: Planted) -> None:
    ranker = write_ranker(planted.folder / "loose", weight=0.0, word_weights=COUNTS_BOTH)
    report = planted.compared(ranker=str(ranker), max_simulated_tokens=0)
    assert [one.tier for one in report.found.of_tiers] == ["encoder"], "it has no other"
    assert report.found.of_tiers[0].differences["kendall_tau_b"].low > 0


def artefacts(planted: Planted, into: Path, **changes: Any) -> tuple[str, dict[str, bytes], dict[str, float]]:
    """What is said, the files of the run, and its metrics."""
    with tracking(planted.uri), mlflow.start_run(experiment_id="1") as run:
        said = run_shadow(planted.config(**changes), COST, simulate)
        got = Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, dst_path=str(into)))
        metrics = mlflow.get_run(run.info.run_id).data.metrics
    return said, {str(path.relative_to(got)): path.read_bytes() for path in got.rglob("*") if path.is_file()}, metrics


def test_run_has_the_page_the_tables_and_no_text(planted: Planted, tmp_path: Path) -> None:
    said, files, metrics = artefacts(planted, tmp_path)
    page = files["report.html"].decode()
    assert "The challenger orders better" in page
    assert "How the two order what was served" in page
    assert "Let the gate decide: pars promote --target-llm demo-llm." in page
    assert metrics["challenger_encoder_kendall_tau_b"] > metrics["champion_encoder_kendall_tau_b"] + 0.1
    assert metrics["simulated_gain_share"] > 0
    for name, content in {**files, "said": said.encode()}.items():
        assert SECRET.encode() not in content, name
        assert b"poem" not in content, name
    requests = json.loads(files["shadow/requests.json"])
    assert "request_id" in requests["columns"]
    assert len(requests["data"]) == 20
    rolling = pd.read_parquet(tmp_path / "shadow" / "by_answers.parquet")
    assert set(rolling.tier) == {"encoder", "instant"}
    assert (rolling["last"].max(), rolling.requests.min()) == (600, 200)


def test_texts_are_shown_where_a_setting_asks_for_them(planted: Planted, tmp_path: Path) -> None:
    _, files, _ = artefacts(planted, tmp_path, show_texts="on", max_simulated_tokens=0)
    assert b"make a table" in files["shadow/groups.json"]
    assert "report.html" not in files
    assert any(name.endswith(".svg") for name in files)


@pytest.mark.parametrize(
    ("changes", "error", "reason"),
    [
        ({"target_llm": "nobodys"}, InvalidInput, r"compared with the champion, but pars-nobodys has none"),
        ({"version": "1"}, InvalidInput, "two rankers must differ .* holds the same files as the champion"),
        ({"version": "99"}, MlflowException, "pars-demo-llm.*99"),
        ({"ranker": "nowhere"}, InvalidInput, "or a folder, but got 'nowhere'"),
    ],
)
def test_who_cannot_be_compared_is_refused(
    planted: Planted, changes: dict[str, Any], error: type[Exception], reason: str
) -> None:
    with tracking(planted.uri), pytest.raises(error, match=reason):
        read_rivals(planted.config(**changes))


def test_ranker_of_another_target_llm_is_refused(planted: Planted, tmp_path: Path) -> None:
    other = write_ranker(tmp_path / "other", "other-llm")
    with (
        tracking(planted.uri),
        pytest.raises(InvalidRanker, match="cannot be compared: the ranker must be trained for"),
    ):
        read_rivals(planted.config(ranker=str(other)))


def test_journal_without_texts_is_refused(planted: Planted, tmp_path: Path) -> None:
    keyed = [row | {"prompt": None, "prompt_key": "k"} for row in journal_rows(20)]
    config = planted.config(journal=write_journal(tmp_path / "keyed", keyed))
    with tracking(planted.uri), pytest.raises(InvalidInput, match="PARS_JOURNAL=text"):
        compare_rivals(config, read_rivals(config), COST, simulate)


def test_settings_that_cannot_be_are_refused(planted: Planted) -> None:
    for changes, reason in (
        ({"version": "1", "ranker": "x"}, "give version or ranker, but got both"),
        ({"version": "new"}, "a version is a whole number, but got 'new'"),
        ({"window": 5}, "window must be at least 20, but got 5"),
        ({"max_num_seqs": 0}, "max_num_seqs must be at least 1"),
    ):
        with pytest.raises(InvalidInput, match=reason):
            replace(planted.config(), **changes)
