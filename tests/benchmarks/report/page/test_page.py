"""The page itself: whole, alone and honest."""

import re
from html.parser import HTMLParser
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from benchmarks.answers import read_answers
from benchmarks.policies.titles import figure
from benchmarks.report.comparison import compare
from benchmarks.report.page.evidence import Evidence
from benchmarks.report.page.log import log_page
from benchmarks.report.page.render import render
from benchmarks.report.summary import RATIO
from charts.chart import Chart, Line
from tests.benchmarks.queueing import queued
from tests.conftest import tracking

LOADS = (np.nan, 0.5, 1.5)
SWEEP = Chart(
    title="A better ranker",
    x_label="tau-b",
    y_label="s per token",
    lines=(Line("PARS", [0.0, 0.5, 1.0], [3.0, 2.0, float("inf")], 1),),
    says="It falls.",
)


class Page(HTMLParser):
    """What a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return Evidence(
        title="Traffic <of> & mine",
        answers=queued(LOADS),
        provenance=("Simulated: a queue.",),
        settings={"requests": 300, "url": "http://10.0.0.1:8000", "trace": None},
        overhead=("Scoring took 3 ms.",),
        advice=("Spend on sequences.",),
        sweeps=(SWEEP,),
    )


@pytest.fixture(scope="module")
def table(evidence: Evidence) -> pd.DataFrame:
    return compare(evidence.answers)


@pytest.fixture(scope="module")
def html(evidence: Evidence, table: pd.DataFrame) -> str:
    return render(evidence, table)


def test_page_asks_for_nothing_outside_itself(html: str) -> None:
    page = Page(html)
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "embed", "base", "a"}
    assert not {name for _, attributes in page.tags for name in attributes} & {"src", "href", "xlink:href", "srcset"}
    assert "url(" not in html
    assert "@import" not in html
    assert "default-src 'none'" in html


def test_page_holds_the_numbers_of_the_table(html: str, table: pd.DataFrame) -> None:
    text = Page(html).text
    for row in table.to_dict("records"):
        for name in ("s_per_token", RATIO, "s_per_token_p90", "e2e_s_p99", "max_wait_s"):
            assert figure(row[name]) in text
        if row["policy"] != "fcfs":
            assert f"{figure(row[f'{RATIO}_low'])} to {figure(row[f'{RATIO}_high'])}" in text


def test_page_says_what_was_run_and_how(html: str) -> None:
    text = Page(html).text
    for words in ("Traffic <of> & mine", "Simulated: a queue.", "Scoring took 3 ms.", "Spend on sequences."):
        assert words in text
    assert "http://10.0.0.1:8000" in text
    assert "not given" in text


def test_every_chart_has_a_text_for_those_who_do_not_see_it(html: str) -> None:
    charts = [attributes for tag, attributes in Page(html).tags if tag == "svg" and attributes.get("role") == "img"]
    assert len(charts) == 4 + 2 + 4 + 1
    assert all(len(attributes["aria-label"] or "") > 10 for attributes in charts)
    assert html.count("<details>") == len(charts)
    assert f"<td>{figure(3.0)}</td>" in html[html.index("A better ranker") :]


def test_what_cannot_be_drawn_is_left_out(html: str) -> None:
    assert "NaN" not in html
    assert "Infinity" not in html


def test_the_same_evidence_is_the_same_page_of_a_size_that_can_be_sent(
    html: str, evidence: Evidence, table: pd.DataFrame
) -> None:
    assert render(evidence, table) == html
    assert len(html.encode()) < 1_000_000


def test_colours_of_charts_have_others_in_the_dark(html: str) -> None:
    pictures = [part.split("</svg>")[0] for part in html.split("<svg")[1:]]
    used = {colour for one in pictures for colour in re.findall(r'(?:stroke|fill)="(#\w+)"', one)}
    assert used
    for colour in used:
        assert f'svg [stroke="{colour}"]' in html


def test_page_fits_a_phone_paper_and_the_dark(html: str) -> None:
    assert 'content="width=device-width, initial-scale=1"' in html
    for query in ("@media print", "prefers-color-scheme: dark", "max-width: 46rem"):
        assert query in html


def test_one_load_and_one_policy_make_a_page_too() -> None:
    answers = queued(requests=40, repeats=1, policies=("endpoint",))
    page = render(Evidence(title="t", answers=answers, provenance=(), settings={}), compare(answers))
    assert "the endpoint&#39;s own order" in page


@pytest.mark.parametrize(
    ("policies", "headlined"),
    [
        (("fcfs", "prompt_length", "listwise", "oracle"), "listwise"),
        (("fcfs", "oracle@10", "control", "prompt_length"), "prompt_length"),
        (("fcfs", "prompt_length", "outlen_bucket", "tfidf_ridge", "oracle"), "tfidf_ridge"),
        (("fcfs", "tfidf_ridge", "pars"), "pars"),
        (("fcfs", "oracle"), "fcfs"),
    ],
)
def test_a_headline_is_about_what_is_there(policies: tuple[str, ...], headlined: str) -> None:
    answers = queued((0.5, 1.5), requests=40, policies=policies)
    evidence = Evidence(title="t", answers=answers, provenance=(), settings={})
    assert (evidence.load, evidence.policy) == (1.5, headlined)


def test_settings_are_shown_as_they_are_given() -> None:
    answers = queued(requests=40, repeats=1, policies=("endpoint",))
    settings = {"rankers": ("a=one", "b=two"), "loads": (), "model": None, "requests": 300}
    page = render(Evidence(title="t", answers=answers, provenance=(), settings=settings), compare(answers))
    for name, shown in {"rankers": "a=one, b=two", "loads": "not given", "model": "not given", "requests": 300}.items():
        assert f"<dt>{name}</dt><dd>{shown}</dd>" in page


def test_page_and_its_data_are_artefacts_of_the_run(evidence: Evidence, table: pd.DataFrame, tmp_path: Path) -> None:
    with tracking(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        mlflow.set_experiment(experiment_id=mlflow.create_experiment("page", (tmp_path / "artifacts").as_uri()))
        with mlflow.start_run() as run:
            said = log_page(evidence)
        files = Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, dst_path=str(tmp_path / "got")))
        logged = mlflow.get_run(run.info.run_id).data
    assert said.startswith("PARS answers")
    assert said.endswith("report.html")
    names = sorted(one.name for one in (files / "charts").iterdir())
    assert (names[0], names[-1]) == (
        "01-mean-seconds-per-token-less-is-better.svg",
        f"{len(names):02d}-a-better-ranker.svg",
    )
    pd.testing.assert_frame_equal(read_answers(files / "answers.parquet"), evidence.answers)
    pd.testing.assert_frame_equal(pd.read_parquet(files / "table.parquet"), table)
    assert logged.metrics["load_1.5.pars.s_per_token"] == pytest.approx(table.s_per_token.iloc[-2])
    assert "burst.oracle.max_wait_s" in logged.metrics
