"""The alert rules, from the file that operators apply."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from cli.reference.site_table import code

RULES = Path("deploy/alerts.yaml")


def alerts() -> str:
    """A section of each rule: how grave, what it says, what to do, when it fires."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return "\n".join(_section(rule) for group in groups for rule in group["rules"])


def _section(rule: Mapping[str, Any]) -> str:
    says, do = (_plain(rule["annotations"][part]) for part in ("summary", "description"))
    lasting = f", for {rule['for']}" if "for" in rule else ""
    fires = f"Fires at {code(_plain(rule['expr']))}{lasting}."
    return f"## {rule['alert']}\n\n*{rule['labels']['severity']}*: {says}\n\n{do}\n\n{fires}\n"


def _plain(text: str) -> str:
    """On one line; what Prometheus fills in is three dots."""
    words = " ".join(text.split())
    while "{{" in words:
        before, _, rest = words.partition("{{")
        words = f"{before}...{rest.partition('}}')[2]}"
    return words
