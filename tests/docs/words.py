"""What the words of a command line ask for: the room and the words of a command of ours, by whichever of its names."""

import shlex
from collections.abc import Sequence
from typing import NamedTuple, cast, get_args

import mlflow.cli
from mlflow.projects.utils import load_project

from cli.commands import Room
from tests.servers import PROJECT

LEAST = {
    "collect": "--prompts prompts.jsonl --base-url http://127.0.0.1:8000/v1 --model my-llm --out chosen",
    "replay": "--lengths alpaca.parquet --length-column text-davinci-003 --target-llm text-davinci-003",
    "simulate": "--lengths alpaca.parquet --length-column text-davinci-003 --ranker models:/pars-text-davinci-003/1",
}
"""What a command is given beside a line of its options."""


class Asked(NamedTuple):
    """A command of ours, as `cli.main` takes it."""

    room: Room | None
    words: Sequence[str]


def asked(words: Sequence[str], options_of: str = "") -> Asked | None:
    """None if it is no command of ours; `options_of` is the one that a line of options belongs to."""
    match words:
        case ["-P", *_] if options_of:
            return Asked(None, [options_of, *LEAST[options_of].split(), *(f"--{one}" for one in words if one != "-P")])
        case ["pars", *rest] | ["bentoml", "pars", *rest]:
            return Asked(None, rest)
        case ["python", "-m", room, *rest] if room in get_args(Room):
            return Asked(cast(Room, room), rest)
        case ["mlflow", "run", *rest] if "NAME" not in rest:
            return asked(shlex.split(project_command(rest)))
    return None


def project_command(words: Sequence[str]) -> str:
    """What `mlflow run` would start: MLflow reads its words and our MLproject."""
    context = mlflow.cli.cli.commands["run"].make_context("run", [*words])
    given = dict(one.partition("=")[::2] for one in context.params["param_list"])
    return load_project(str(PROJECT)).get_entry_point(context.params["entry_point"]).compute_command(given, None)
