"""Command-line options from a settings dataclass: one option a field, with its default and its docstring."""

import ast
import inspect
import textwrap
import types
from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import typer
from pydantic import TypeAdapter, ValidationError

Settings = TypeVar("Settings")


def takes(settings: type[Settings]) -> Callable[[Callable[[Settings], None]], Callable[..., None]]:
    """Decorate a command that takes the dataclass: typer then sees its fields as options.

    An option that is empty is not given, since `mlflow run` passes every parameter on. Several values are one text,
    separated by commas.
    """
    hints, help_texts = get_type_hints(settings, include_extras=True), attribute_docstrings(settings)

    def decorate(command: Callable[[Settings], None]) -> Callable[..., None]:
        def run(**texts: Any) -> None:
            given = {name: text for name, text in texts.items() if text != ""}
            command(settings(**{name: _read(name, hints[name], text) for name, text in given.items()}))

        run.__name__, run.__doc__ = command.__name__, command.__doc__
        options = [_option(one, hints[one.name], help_texts.get(one.name)) for one in fields(settings)]  # type: ignore[arg-type]
        run.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
        return run

    return decorate


def attribute_docstrings(settings: type) -> dict[str, str]:
    """The docstring below each field of a dataclass and its bases, on one line."""
    found: dict[str, str] = {}
    for one in reversed(settings.__mro__[:-1]):
        (body,) = ast.parse(textwrap.dedent(inspect.getsource(one))).body
        assert isinstance(body, ast.ClassDef)
        for statement, following in zip(body.body, body.body[1:], strict=False):
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                match following:
                    case ast.Expr(value=ast.Constant(value=str(text))):
                        found[statement.target.id] = " ".join(text.split())
    return found


def _option(field: Field[Any], hint: Any, help_text: str | None) -> inspect.Parameter:
    option: dict[str, Any] = {"help": help_text}
    default = inspect.Parameter.empty if field.default is MISSING else field.default
    if _is_read_here(hint):
        option["metavar"] = _metavar(hint)
        hint = str
        if default is not inspect.Parameter.empty:
            default = (
                ",".join(map(str, default)) if isinstance(default, tuple) else "" if default is None else str(default)
            )
    flag = [f"--{field.name.replace('_', '-')}"]  # and no --no-... beside it
    annotation = Annotated[hint, typer.Option(*flag, **option)]
    return inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _is_read_here(hint: Any) -> bool:
    """Whether typer is told `str`: it knows no empty option, no commas, and does not say which number was wrong."""
    return hint in (int, float) or get_origin(hint) in (Union, types.UnionType, tuple)


def _metavar(hint: Any) -> str:
    if get_origin(hint) is tuple:
        return "<a,b,...>"
    return f"<{(*get_args(hint), hint)[0].__name__.lower()}>"


def _read(name: str, hint: Any, value: Any) -> Any:
    if not _is_read_here(hint) or not isinstance(value, str):
        return value
    if get_origin(hint) is tuple:
        value = tuple(part.strip() for part in value.split(",") if part.strip())
    try:
        return TypeAdapter(hint).validate_python(value)
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        raise typer.BadParameter(f"--{name.replace('_', '-')} cannot be {value!r}: {reason}.") from None
