"""What MkDocs is told beside docs/: what is made of code, pages of the repository's root, diagrams in their pages."""

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from cli.reference.from_code import COMMANDS, FILLINGS, made_files

ROOT_PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "SECURITY.md": "SECURITY.md",
    ".github/ISSUE_TEMPLATE/fault.md": "fault.md",
}
"""Pages of the repository's root -> where they stand in the site."""
LINK = re.compile(r"(?<=\]\()(?!https?:|#)([^)#\s]+)")
GAP = re.compile(r"<!-- from code: (\w+) -->")
DIAGRAM = re.compile(r'<img alt="[^"]*" src="[./]*(diagrams/[a-z-]+\.svg)"\s*/?>')


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List the commands in the navigation, below their index."""
    assert config.nav is not None
    (reference,) = (entry["Reference"] for entry in config.nav if "Reference" in entry)
    pages = [path for path in made_files() if path.startswith(COMMANDS)]
    reference[reference.index({"Commands": f"{COMMANDS}index.md"})] = {"Commands": [f"{COMMANDS}index.md", *pages]}
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that do not stand in docs/."""
    root = {there: in_site(Path(path).read_text(encoding="utf-8")) for path, there in ROOT_PAGES.items()}
    for path, text in (root | made_files()).items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill the gaps that a page leaves to the code."""
    return GAP.sub(lambda gap: FILLINGS[gap[1]](), markdown)


def on_page_content(html: str, config: MkDocsConfig, **_: Any) -> str:
    """Put diagrams into the page itself, so that their lines and letters have the colours of its scheme."""
    return DIAGRAM.sub(lambda found: (Path(config.docs_dir) / found[1]).read_text(encoding="utf-8"), html)


def in_site(text: str) -> str:
    """The text of a page of the root, with links that lead where their targets stand in the site."""
    return LINK.sub(lambda found: ROOT_PAGES.get(found[1], found[1].removeprefix("docs/")), text)
