"""`bentoml pars COMMAND`, which is `pars COMMAND`: BentoML's command line loads this file as one of its extensions.

It does so before it makes `~/bentoml`. Nothing else of ours is asked that early, so a home is seen to here, at import.
"""

import sys

import click

from cli.__main__ import main
from serving.hosts.home import ensure_home

ensure_home()


@click.command("pars", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def pars(words: tuple[str, ...]) -> None:
    """Train, promote, replay, ...: the commands of PARS."""
    sys.argv[1:] = words
    main()
