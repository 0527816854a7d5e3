"""`pars COMMAND`, which is `python -m cli COMMAND`: find the command, read its settings, do it, print what it says."""

import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

from cli.commands import Command, Room, commands_of, find_command
from cli.options import read_settings
from registry import telemetry
from registry.errors import InvalidInput, UserError
from registry.secrets import guard_output, without_passwords
from serving.hosts.home import ensure_home
from terminal.screen import log_handler

ABOUT = "Short answers first: train a ranker of answer lengths for your LLM, serve the LLM shortest-predicted-first."
LOG_FORMATS: dict[Room, str] = {
    "training": "%(asctime)s %(message)s",
    "benchmarks": "%(message)s",
    "loop": "%(message)s",
}
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"


def main(room: Room | None = None) -> None:
    """Run one command, of a room or any; a user's mistake ends in one sentence and exit code 1."""
    prog = f"python -m {room}" if room else "pars"
    words = sys.argv[1:]
    if not words or words[0] in ("-h", "--help"):
        sys.stdout.write(_overview(prog, commands_of(room)))
        return
    try:
        with _unwound_by_sigterm():
            sys.stdout.write(without_passwords(_run(prog, room, *words)) + "\n")
    except KeyboardInterrupt:
        raise SystemExit(130) from None  # as a shell says of what SIGINT ended
    except UserError as error:
        sys.stdout.flush()
        sys.stderr.write(f"Error: {error}\n")
        raise SystemExit(1) from None


@contextmanager
def _unwound_by_sigterm() -> Iterator[None]:
    """In the block SIGTERM ends a command as Ctrl-C does: a server that it has started is stopped first."""
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(prog: str, room: Room | None, name: str, *words: str) -> str:
    command = find_command(name, room)
    if command is None:
        raise InvalidInput(_unknown(prog, name, commands_of(room)))
    _prepare(command)
    if name == command.former_name:
        logging.getLogger("cli").warning("%s is called %s now; the next version knows only that.", name, command.name)
    settings = read_settings(command.load_settings(), command.named(words), f"{prog} {command.name}", command.help)
    return _do(command, settings)


def _do(command: Command, settings: Any) -> str:
    if not command.uses_mlflow:
        return command.load()(settings)
    from registry.runs.experiments import use_experiment  # MLflow, for which --help need not wait
    from registry.runs.mlflow_failures import told_in_one_sentence
    from registry.runs.stored_run import reach_mlflow
    from registry.tracking import describe_run

    reach_mlflow()
    with told_in_one_sentence():
        if command.makes_runs:
            use_experiment(vars(settings))
        printed = command.load()(settings)
    if command.makes_runs:
        describe_run(printed)
    return printed


def _prepare(command: Command) -> None:
    """What must be so before the libraries are imported."""
    room = command.room
    guard_output()
    ensure_home()
    telemetry.switch_off()
    # torch's threads spin while they wait; beside any other busy process that made training 8 times as slow.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")  # each command says itself what it has done
    if room in ("benchmarks", "loop", "registry"):  # the gate simulates, too
        os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
        logging.getLogger("vllm").setLevel(logging.ERROR)  # vLLM itself does so only after its first messages
        logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each request
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # tracebacks of what ends in a sentence
    if room in LOG_FORMATS:
        logging.basicConfig(level=logging.INFO, format=LOG_FORMATS[room], datefmt=TIME_FORMAT, handlers=[log_handler()])
    if not command.uses_mlflow:
        return
    from registry.tracking import configure_tracking  # MLflow, for which --help need not wait

    configure_tracking()


def _overview(prog: str, commands: Sequence[Command]) -> str:
    width = max(len(one.name) for one in commands)
    lines = [f"usage: {prog} COMMAND [OPTIONS]", "", ABOUT, ""]
    lines += [f"  {one.name:{width}}  {one.summary}" for one in commands]
    return "\n".join([*lines, "", f"Options of a command: {prog} COMMAND --help", ""])


def _unknown(prog: str, name: str, commands: Sequence[Command]) -> str:
    names = [one.name for one in commands]
    near = get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]}?" if near else f"see {prog} --help."
    return f"the command must be one of {', '.join(names)}, but got {name!r}; {hint}"


if __name__ == "__main__":
    main()
