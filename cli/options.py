"""A command's settings from its words: one option for each field of a dataclass, with its default and its docstring.

Tyro builds the options. What it does not know is here: values in a YAML file, several values as one text with commas,
and an empty value, which is one that is not given.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_type_hints

import tyro
import yaml
from pydantic import TypeAdapter, ValidationError
from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

from registry.errors import InvalidInput

Settings = TypeVar("Settings")

CONFIG = "--config"
IN_A_FILE = (
    "Options may also stand in a YAML file, as NAME: VALUE, that --config FILE names; those given beside it come first."
)
TRUTHS = {"on": True, "off": False, "true": True, "false": False}


def read_settings(settings: type[Settings], words: Sequence[str], prog: str, description: str) -> Settings:
    """The settings that the words of a command line, and the file that `--config` names, make.

    Wrong options end the process as Tyro does: exit code 2, and a text that names the option, the value and its help.

    Raises:
        InvalidInput: the file cannot be read, or the settings refuse their values.
    """
    path, given = _split_off_config(words)
    beside = list(_joined(given, settings))
    in_file = list(_joined(_words_of(path, settings), settings)) if path else []
    return tyro.cli(
        settings,
        args=[*in_file, *beside],
        prog=prog,
        description=f"{description}\n\n{IN_A_FILE}",
        registry=_registry(),
    )


def _split_off_config(words: Sequence[str]) -> tuple[Path | None, list[str]]:
    rest, path = [], None
    remaining = iter(words)
    for word in remaining:
        name, sign, value = word.partition("=")
        if name == CONFIG:
            text = value if sign else next(remaining, "")
            path = Path(text) if text else None
        else:
            rest.append(word)
    return path, rest


def _joined(words: Sequence[str], settings: type) -> Iterator[str]:
    """Each option as one word, `--name=value`, so that a value may begin with dashes; without those that are empty."""
    hints = get_type_hints(settings)
    types = {one.name: hints[one.name] for one in fields(settings)}
    remaining = deque(words)
    while remaining:
        option, sign, value = remaining.popleft().partition("=")
        kind = types.get(option.removeprefix("--").replace("-", "_")) if option.startswith("--") else None
        takes_next = not sign and remaining and (kind is not bool or remaining[0].lower() in ("", *TRUTHS))
        if kind is not None and takes_next:
            sign, value = "=", remaining.popleft()
        if kind is not None and sign and not value:
            continue
        yield _flag(option, value) if kind is bool and sign else f"{option}{sign}{_fetched(kind, value)}"


def _fetched(kind: Any, value: str) -> str:
    """A file that lies elsewhere is downloaded, as MLflow does for a parameter that is a path."""
    if "://" not in value or Path not in (kind, *get_args(kind)):
        return value
    from mlflow import artifacts  # seconds to import

    try:
        return str(artifacts.download_artifacts(value))
    except Exception as error:  # MLflow lets through what the library of each kind of store raises
        raise InvalidInput(
            f"a file must be a path or an address that MLflow knows, but got {value!r}: {error}"
        ) from error


def _flag(option: str, value: str) -> str:
    if value.lower() not in TRUTHS:
        raise InvalidInput(f"{option} must be one of {', '.join(TRUTHS)}, but got {value!r}.")
    return option if TRUTHS[value.lower()] else option.replace("--", "--no-", 1)


def _words_of(path: Path, settings: type) -> list[str]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidInput(f"config must be a YAML file, but {path} cannot be read: {error}") from error
    if not isinstance(values, Mapping):
        raise InvalidInput(f"config must hold NAME: VALUE, a line an option, but {path} holds {str(values)[:60]!r}.")
    known = [one.name for one in fields(settings)]
    for name in map(str, values):
        if name.replace("-", "_") not in known:
            near = get_close_matches(name, known, 1)
            raise InvalidInput(f"{path} names {name!r}, which is no setting; {_did_you_mean(near or known)}")
    return [f"--{name}={_text(value)}" for name, value in values.items() if value is not None]


def _did_you_mean(names: Sequence[str]) -> str:
    return f"did you mean {names[0]}?" if len(names) == 1 else f"there are {', '.join(names)}."


def _text(value: Any) -> str:
    if isinstance(value, bool):  # so YAML reads the words on and off
        return "on" if value else "off"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _registry() -> ConstructorRegistry:
    registry = ConstructorRegistry()
    registry.primitive_rule(_several_values)
    registry.primitive_rule(_value_or_none)
    return registry


def _several_values(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
    """A tuple is one text, its values separated by commas."""
    if info.type_origin is not tuple:
        return None
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar="A,B,...",
        instance_from_str=lambda texts: _read(info.type, [one.strip() for one in texts[0].split(",") if one.strip()]),
        is_instance=lambda value: isinstance(value, tuple),
        str_from_instance=lambda values: [",".join(map(str, values))],
    )


def _value_or_none(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
    """What may be None is None where it is not given; nobody has to type the word."""
    inner = [one for one in get_args(info.type) if one is not type(None)]
    if info.type_origin not in (Union, UnionType) or len(inner) != 1:
        return None
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=str(inner[0].__name__).upper(),
        instance_from_str=lambda texts: _read(inner[0], texts[0]),
        is_instance=lambda value: value is None or isinstance(value, inner[0]),
        str_from_instance=lambda value: ["none" if value is None else str(value)],
    )


def _read(hint: Any, value: Any) -> Any:
    try:
        return TypeAdapter(hint).validate_python(value)
    except ValidationError as error:
        raise ValueError(f"{value!r}: {error.errors()[0]['msg']}.") from None
