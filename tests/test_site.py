"""The built site: strict, complete, and closed to the outside."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from cli.commands import COMMANDS
from cli.reference.from_code import FILLINGS
from cli.reference.metric_tables import MODULES
from serving.config import Settings
from tests.servers import PROJECT

LOADED = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed)\b[^>]*?\bsrc=["']?([^"'\s>]+)"""
    r"""|<link\b(?![^>]*\brel=["']?(?:canonical|next|prev))[^>]*?\bhref=["']?([^"'\s>]+)"""
    r"""|@import\s+(?:url\()?["']?([^"')\s;]+)"""
    r"""|\burl\(["']?([^"')]+)""",
    re.IGNORECASE,
)
"""What a browser fetches by itself, of pages and style sheets."""
METRIC = re.compile(r"^from prometheus_client import .*\b(?:Counter|Gauge|Histogram)\b", re.MULTILINE)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    pages = [path for path in site.rglob("*") if path.suffix in (".html", ".css")]
    loaded = {one for path in pages for one in loaded_by(path.read_text(encoding="utf-8"))}
    assert len(pages) > 60
    assert {one for one in loaded if re.match(r"(?:https?:)?//", one)} == set()


def test_what_a_page_loads_is_found() -> None:
    page = (
        '<script src="https://a/x.js"></script><link rel="stylesheet" href=//b/x.css><link rel="canonical" href="//c">'
    )
    assert set(loaded_by(page + '@import "https://d/x.css"; p { background: url(https://e/x.png) }')) == {
        "https://a/x.js",
        "//b/x.css",
        "https://d/x.css",
        "https://e/x.png",
    }


def test_no_gap_is_left_open(site: Path) -> None:
    assert [path for path in site.rglob("*.html") if "from code:" in path.read_text(encoding="utf-8")] == []


def test_diagrams_stand_in_their_pages(site: Path) -> None:
    for name in ("index", "run", "request", "row"):
        page = (site / "how-it-works" / f"{name}.html").read_text(encoding="utf-8")
        assert '<svg xmlns="http://www.w3.org/2000/svg" class="diagram"' in page


def test_search_knows_settings_and_commands(site: Path) -> None:
    index = (site / "search" / "search_index.json").read_text(encoding="utf-8")
    assert all(f"PARS_{name.upper()}" in index for name in Settings.model_fields)
    assert all(f"pars {one.name}" in index for one in COMMANDS)


def test_each_page_has_its_place_in_the_navigation() -> None:
    listed = set(re.findall(r"[\w/-]+\.md", (PROJECT / "mkdocs.yml").read_text(encoding="utf-8")))
    pages = {path.relative_to(PROJECT / "docs").as_posix() for path in (PROJECT / "docs").rglob("*.md")}
    assert pages - listed == set()


def test_each_filling_fills_a_gap() -> None:
    gaps = {gap for path in (PROJECT / "docs" / "reference").rglob("*.md") for gap in gaps_of(path)}
    assert gaps == set(FILLINGS)


def test_every_file_with_metrics_is_in_the_reference() -> None:
    files = [
        path.relative_to(PROJECT) for path in (PROJECT / "serving").rglob("*.py") if METRIC.search(path.read_text())
    ]
    assert {".".join(path.with_suffix("").parts) for path in files} == set(MODULES)


def test_every_alert_is_in_the_reference(site: Path) -> None:
    page = (site / "reference" / "alerts.html").read_text(encoding="utf-8")
    groups = yaml.safe_load((PROJECT / "deploy" / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    assert all(rule["alert"] in page for group in groups for rule in group["rules"])


def loaded_by(text: str) -> list[str]:
    return [one for found in LOADED.findall(text) for one in found if one]


def gaps_of(path: Path) -> list[str]:
    return re.findall(r"<!-- from code: (\w+) -->", path.read_text(encoding="utf-8"))
