"""A folder in which everything lies that the pages name: logs, journals, prompts, an LLM, an MLflow with rankers.

Words of the pages need no change there, since each name in them is a file or a ranker.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd

from benchmarks.demo.demo_lengths import WorkloadRequest, make_workload
from registry import store
from registry.artefact.card import RankerCard
from registry.artefact.files import WEIGHTS_FILE
from registry.artefact.weights import fetch_weights
from tests.conftest import tracking
from tests.docs.smaller import ENCODER
from tests.loop.retraining import served_days
from tests.loop.yesterday import served_days as yesterdays
from tests.servers import PROJECT, server_environment
from tests.traffic.adapters.foreign_logs import export, lines, lmsys, sharegpt, span, spend_log, whole

LLMS = ("MODEL", "meta-llama/Llama-3.1-8B-Instruct")
TRAINED = "my-llm"
VERSIONS = {TRAINED: 1, "text-davinci-003": 1, "new-llm": 1, "gpt4": 1, "a": 1, "b": 3}
"""Target LLMs whose rankers pages name before they train one, and how many versions there are of each."""
ROWS = 400


def write_world(folder: Path, llm: Path, encoder: Path, database: Path) -> Path:
    """All but the rankers, which a command is to train."""
    shutil.copyfile(database, folder / "mlflow.db")
    (folder / "bentofile.yaml").symlink_to(PROJECT / "bentofile.yaml")
    (folder / ENCODER).symlink_to(encoder)
    for name in LLMS:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).symlink_to(llm)
    shutil.copyfile(llm / "tokenizer.json", folder / "tokenizer.json")
    _write_own_logs(folder)
    _write_foreign_logs(folder)
    _write_journals(folder)
    cost = {"fixed_s": 0.02, "per_token_s": 0.0, "per_sequence_s": 0.0, "instant_s": 0.0}
    (folder / "step_cost.json").write_text(json.dumps(cost))
    return folder


def world_environment(folder: Path) -> dict[str, str]:
    """What a process there is told where to keep things."""
    return server_environment(
        {
            "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
            "_MLFLOW_SERVER_ARTIFACT_ROOT": (folder / "artifacts").as_uri(),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "PARS_CACHE": str(folder / ".pars" / "rankers"),
            "PARS_ORDERING_FILE": str(folder / "ordering"),
            "BENTOML_HOME": str(folder / "bentoml"),
        }
    )


def add_rankers(folder: Path, run: Callable[[list[str]], None]) -> None:
    """Train one, register it under each of their names, and make the first versions champions."""
    run(["train", "--lengths", "LOG", "--target-llm", TRAINED])
    with tracking(f"sqlite:///{folder / 'mlflow.db'}"):
        trained = _with_weights(folder / "trained", f"models:/pars-{TRAINED}/1")
        card = RankerCard.read(trained)
        for name, versions in VERSIONS.items():
            card.model_copy(update={"target_llm": name}).write(trained)
            for _ in range(versions - (name == TRAINED)):
                with mlflow.start_run():
                    store.register(trained)
            store.promote(name, 1)


def _with_weights(folder: Path, uri: str) -> Path:
    """A registered ranker's folder as its training has left it."""
    shutil.copytree(store.ranker_folder(uri), folder)
    shutil.copyfile(fetch_weights(uri)[1], folder / WEIGHTS_FILE)
    return folder


def _write_own_logs(folder: Path) -> None:
    workload = make_workload(ROWS)
    (folder / "LOG").mkdir()
    _write_rows(folder / "LOG" / "log.parquet", workload, models=["my-llm"])
    _write_rows(folder / "served.parquet", workload)
    _write_rows(folder / "trace.parquet", workload)
    _write_rows(folder / "new.parquet", workload)
    _write_rows(folder / "alpaca.parquet", workload, length_column="text-davinci-003")
    _write_rows(folder / "log.parquet", make_workload(3 * ROWS), models=["llm-a", "llm-b", "llm-c"])
    prompts = [one.prompt for one in workload[:60]]
    (folder / "prompts.txt").write_text("".join(one.replace("\n", " ") + "\n" for one in prompts))
    (folder / "prompts.jsonl").write_text("".join(json.dumps({"prompt": one}) + "\n" for one in prompts))


def _write_rows(
    path: Path, workload: Sequence[WorkloadRequest], models: Sequence[str] = (), length_column: str = "output_tokens"
) -> None:
    """As parquet, a request every half second, of one model after the other."""
    rows: list[dict[str, Any]] = []
    for number, one in enumerate(workload):
        whose = {"model": models[number % len(models)]} if models else {}
        known = {"prompt": one.prompt, "arrival_s": served_days.NOON_S + number / 2, "prompt_tokens": 20}
        rows.append(known | whose | {length_column: one.output_tokens})
    pd.DataFrame(rows).to_parquet(path)


def _write_foreign_logs(folder: Path) -> None:
    def written(make: Callable[[Path, int], Path], name: str) -> None:
        make(folder, ROWS).rename(folder / name)

    (folder / "otlp").mkdir()
    (folder / "lmsys").mkdir()
    written(lines(spend_log), "spend_logs.jsonl")
    written(whole(lambda size: [*map(sharegpt, range(size))]), "sharegpt.json")
    written(lines(lambda number: lmsys(number) | {"model": "vicuna-13b"}), "lmsys/log.jsonl")
    written(whole(lambda size: export([*map(span, range(size))])), "otlp/log.json")


def _write_journals(folder: Path) -> None:
    """That of a server with a retraining before it, and one of a busy day."""
    end_s = served_days.NOON_S
    days = served_days.served(served_days.TOKENS, 1200, end_s - 3 * served_days.DAY_S, end_s, 0, version=1)
    days = days.assign(model="my-llm", ranker_version="models:/pars-my-llm/1")
    served_days.write_journal(folder / ".pars" / "journal", days)
    rows = yesterdays.served_rows(ROWS, model="my-llm", ranker_version="models:/pars-my-llm/1", placed_by="encoder")
    for row, prompt in zip(rows, days["prompt"], strict=False):
        row |= {"prompt": prompt, "predicted_tokens": float(row["output_tokens"]), "correction": 1.0}
    yesterdays.write_journal(folder / "journal", rows)
