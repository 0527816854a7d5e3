"""Everything in the site that comes from code: what fills a page's gaps, and files of their own."""

from collections.abc import Callable, Mapping

from cli.reference import alert_sections, card_tables, http_tables, log_tables, metric_tables, setting_tables
from cli.reference.command_pages import command_pages, commands

COMMANDS = "reference/commands/"

FILLINGS: Mapping[str, Callable[[], str]] = {
    one.__name__: one
    for one in (
        setting_tables.server_settings,
        setting_tables.retired_settings,
        setting_tables.refused_flags,
        commands,
        http_tables.our_routes,
        http_tables.rank_request,
        http_tables.rank_answer,
        http_tables.rank_errors,
        http_tables.ranked_routes,
        metric_tables.metrics,
        alert_sections.alerts,
        log_tables.log_columns,
        log_tables.other_names,
        log_tables.ending_words,
        log_tables.journal_columns,
        log_tables.log_sources,
        card_tables.card_fields,
        card_tables.card_parts,
        card_tables.features,
    )
}
"""What `<!-- from code: NAME -->` stands for in a page of docs/."""


def made_files() -> dict[str, str]:
    """Files that do not stand in docs/, by their paths in the site."""
    pages = {f"{COMMANDS}{name}.md": page for name, page in command_pages().items()}
    return {"reference/openapi.json": http_tables.openapi(), **pages}
