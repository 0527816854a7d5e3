"""Columns in the names of folders: `model=NAME/part.parquet`, as Hive, Spark, Arrow and DuckDB have them. Pure."""

from pathlib import PurePath
from urllib.parse import quote, unquote

NULL = "__HIVE_DEFAULT_PARTITION__"
"""What all of them call a null."""


def folder_name(column: str, value: str | None) -> str:
    """The folder of a value; whatever a file system or an address could misread is escaped."""
    if value is None:
        return f"{column}={NULL}"
    escaped = quote(value, safe="", errors="replace")
    return f"{column}=" + (escaped if escaped != NULL else "%5F" + NULL[1:])


def partition_of(path: PurePath) -> dict[str, str | None]:
    """The columns that a file has by the folders in which it lies; of two of one name the inner one."""
    named = (part.partition("=") for part in path.parts[:-1])
    return {name: None if value == NULL else unquote(value) for name, sign, value in named if name and sign}
