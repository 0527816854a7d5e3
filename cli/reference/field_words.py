"""A field of a dataclass or a pydantic model in words: what it takes, what it is unless given, what it means."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, SecretStr

from cli.mlproject import setting_docstrings
from cli.reference.site_table import code

REQUIRED = "required"
KINDS: Mapping[Any, str] = {
    bool: "on or off",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "path",
    SecretStr: "secret",
    dict: "object",
    Any: "anything",
}
LIMITS = {Ge: ("from", "ge"), Gt: ("above", "gt"), Le: ("to", "le"), Lt: ("below", "lt")}


class Words(NamedTuple):
    """One field, as Markdown."""

    name: str
    kind: str
    default: str
    meaning: str


def dataclass_words(cls: type[Any]) -> list[Words]:
    """The fields of a dataclass, in their order."""
    hints, meanings = get_type_hints(cls, include_extras=True), setting_docstrings(cls)
    return [
        Words(
            one.name,
            kind_of(hints[one.name]),
            REQUIRED if one.default is MISSING else default_of(one.default),
            meanings.get(one.name, ""),
        )
        for one in fields(cls)
    ]


def model_words(model: type[BaseModel]) -> list[Words]:
    """The fields of a pydantic model, in their order."""
    meanings = setting_docstrings(model)
    return [
        Words(
            name,
            " ".join([kind_of(one.annotation), *_limits(one.metadata)]),
            REQUIRED if one.is_required() else default_of(one.get_default(call_default_factory=True)),
            meanings.get(name, ""),
        )
        for name, one in model.model_fields.items()
    ]


def first_words(thing: object) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((thing.__doc__ or "").partition("\n\n")[0].split())


def kind_of(hint: Any) -> str:
    """What a type takes, in words."""
    origin, inner = get_origin(hint), [one for one in get_args(hint) if one is not type(None)]
    if origin is Literal:
        return ", ".join(map(code, inner))
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(map(kind_of, inner)))
    if origin is Annotated:
        return " ".join([kind_of(inner[0]), *_limits(inner[1:])])
    if origin is tuple:
        return f"several, each {kind_of(inner[0])}"
    if origin is list:
        return f"list, each {kind_of(inner[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "object" if inner[1] is Any else f"{kind_of(inner[1])} by name"
    return KINDS.get(hint) or code(getattr(hint, "__name__", hint))


def default_of(value: Any) -> str:
    """What a field is unless it is given; nothing where that is nothing."""
    if isinstance(value, bool):
        return code("on" if value else "off")
    if isinstance(value, tuple):
        return code(",".join(str(one) for one in value if one is not None))
    return "" if value is None or value == {} else code(_shown(value))


def _limits(metadata: Any) -> list[str]:
    known = [(one, *LIMITS[type(one)]) for one in metadata if type(one) in LIMITS]
    return [f"{word} {_shown(getattr(one, name))}" for one, word, name in known]


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
