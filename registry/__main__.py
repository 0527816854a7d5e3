"""Move the aliases of registered rankers: `python -m registry promote|rollback --help`."""

from typing import Annotated

import typer

from registry import store
from registry.tracking import configure_tracking, name_run

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="Which registered ranker is served.")

Version = Annotated[str, typer.Option(help="Version to serve; the newest unless given.")]
TargetLLM = Annotated[str, typer.Option(help="Exact name of the LLM whose answers are predicted.")]


@app.command()
def promote(target_llm: TargetLLM, version: Version = "") -> None:
    """Make a version the champion: running servers take it within seconds, with no restart."""
    if version and not version.isdecimal():
        raise store.RegistryError(f"a version is a whole number, but got {version!r}.")
    champion = store.promote(target_llm, int(version) if version else None)
    name_run(f"promote {target_llm} to version {champion}")
    typer.echo(f"{store.model_name(target_llm)}: version {champion} is the champion.")


@app.command()
def rollback(target_llm: TargetLLM) -> None:
    """Bring the champion before this one back."""
    champion = store.rollback(target_llm)
    name_run(f"roll {target_llm} back to version {champion}")
    typer.echo(f"{store.model_name(target_llm)}: version {champion} is the champion again.")


def main() -> None:
    """Run the command line; a user's mistake ends in one sentence and exit code 1."""
    configure_tracking()
    try:
        app()
    except store.RegistryError as error:
        typer.echo(f"Error: {error}", err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
