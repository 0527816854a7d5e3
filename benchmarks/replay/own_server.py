"""The server that a replay starts: its settings, and the rankers that it serves as they are now."""

import shlex
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

import mlflow

from benchmarks.replay.config import ReplayConfig
from benchmarks.replay.control import write_control
from registry.artefact.card import RankerCard
from registry.artefact.files import names_in, served_files
from registry.request_features import Readable, as_view
from registry.store import model_name, ranker_folder
from serving.champion.start import find_champion
from serving.config import DEMO_LLM, DEMO_VLLM_ARGS

STREAM_INTERVAL = "--stream-interval 1000"
"""Answers are streamed as their first token and then the rest: all that is measured. An event for each token would
make the client and the API server the bottleneck where they share their cores with the engine."""
TOOL_FLAGS = "--enable-auto-tool-choice --tool-call-parser hermes"
"""Without a parser vLLM refuses a chat with tools; which one matters only to what a client would make of a call."""


@dataclass(frozen=True)
class OwnRankers:
    """Copies of the rankers of a replay: no promotion changes them, and the user's registry hears of none."""

    champion: str
    """Where the ranker of `pars` came from."""
    folders: Mapping[str, Path]
    """Of each ranker, by the target LLM that it ranks for: the champion's, and those of the control."""
    registry_uri: str
    """An empty registry. A server without a champion serves the ranker in the folder that it is given."""
    has_tools: bool = False
    """Whether chats are sent that may call tools."""

    def settings(self, config: ReplayConfig) -> dict[str, str]:
        """All `PARS_*` variables of the server, and where its registry is."""
        others = [one for one in self.folders if one != config.target_llm]
        settings = server_settings(config.target_llm, config.llm, config.vllm_args, config.patience_s)
        if self.has_tools and "--tool-call-parser" not in settings["PARS_VLLM_ARGS"].replace("_", "-"):
            settings["PARS_VLLM_ARGS"] += f" {TOOL_FLAGS}"
        settings |= {
            "MLFLOW_TRACKING_URI": self.registry_uri,
            "PARS_CHAMPION_POLL_S": "3600",  # nobody will promote anything there
            "PARS_FALLBACK_RANKER": _pairs(self.folders),
            "PARS_RANKING_BACKLOG_MS": str(config.ranking_backlog_ms),
            "PARS_CAP_BY_MAX_TOKENS": config.is_capped,
        }
        if config.is_by_work:
            settings["PARS_COST"] = str(config.cost)
        if not others:
            return settings
        names = served_names(settings["PARS_VLLM_ARGS"]) or [config.target_llm, config.llm or str(DEMO_LLM)]
        flags = shlex.join(["--served-model-name", *names, *others])
        rankers = dict.fromkeys(names, config.target_llm) | {one: one for one in others}
        return settings | {
            "PARS_VLLM_ARGS": f"{settings['PARS_VLLM_ARGS']} {flags}",
            "PARS_RANKERS": _pairs(rankers),
        }


@contextmanager
def own_rankers(config: ReplayConfig, prompts: Sequence[Readable], has_control: bool) -> Iterator[OwnRankers]:
    """Yield the champion as it is now and, if asked for, the control: as files, for as long as the block lasts.

    Raises:
        NoRanker: the target LLM has no champion.
        RegistryError, InvalidRanker: it, or the given control, cannot be used.
    """
    with TemporaryDirectory() as home:
        uri = f"models:/{model_name(config.target_llm)}/{find_champion(config.target_llm)}"
        champion = Path(home) / "champion"
        _copy(ranker_folder(uri), champion)
        folders = {config.target_llm: champion}
        if has_control:
            folders |= write_control(config, prompts, RankerCard.read(champion), Path(home))
        registry_uri = f"sqlite:///{Path(home) / 'mlflow.db'}"
        mlflow.MlflowClient(registry_uri, registry_uri).search_registered_models()  # its tables are made before a start
        has_tools = config.api != "completions" and any(as_view(one).tools for one in prompts)
        yield OwnRankers(uri, folders, registry_uri, has_tools)


def server_settings(target_llm: str, llm: str | None, vllm_args: str | None, patience_s: float) -> dict[str, str]:
    """The server trusts the client's priorities and, so that imposed lengths do not leak, ignores `max_tokens`.

    It must rank, so it ends without a ranker.
    """
    own_args = vllm_args or (DEMO_VLLM_ARGS if llm is None else "")
    settings = {
        "PARS_TARGET_LLM": target_llm,
        "PARS_LLM": llm,
        "PARS_VLLM_ARGS": f"{own_args} {STREAM_INTERVAL}",
        "PARS_PATIENCE_S": str(patience_s),
        "PARS_TRUST_CLIENT_PRIORITY": "on",
        "PARS_CAP_BY_MAX_TOKENS": "off",
        "PARS_REQUIRE_RANKER": "on",
        "PARS_JOURNAL": "off",  # evidence is not fed by what it measures
        "PARS_CORRECTION": "off",  # what is measured shall not move the order
        "PARS_SCORE_CACHE": "0",  # the same prompts are sent again and again, as no traffic does
        "MLFLOW_TRACKING_URI": mlflow.get_tracking_uri(),
    }
    return {name: value for name, value in settings.items() if value}


def served_names(vllm_args: str) -> list[str]:
    """The names that vLLM's flags give the model; none where they leave that to the server."""
    parser = ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--served-model-name", "--served_model_name", nargs="+", default=[])
    return list(parser.parse_known_args(shlex.split(vllm_args))[0].served_model_name)


def _copy(source: Path, target: Path) -> None:
    target.mkdir()
    for name in served_files(names_in(source)):
        copyfile(source / name, target / name)


def _pairs(values: Mapping[str, object]) -> str:
    return ",".join(f"{name}={value}" for name, value in values.items())
