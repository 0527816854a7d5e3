"""The replay that the queue is drawn from: small enough for anybody, against the real engine."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from benchmarks.answers import ANSWERS_FILE, read_answers
from benchmarks.demo.demo import FOLDER as DEMO
from benchmarks.demo.demo import TARGET_LLM
from benchmarks.demo.steps import Stage, Step
from pictures.stage import NothingToShow, artefact, newest_run
from registry.store import model_name
from serving.config import DEMO_VLLM_ARGS

AT_ONCE = 4
"""Answers that the engine works on at the same time: few, so that 48 requests make a queue."""
SETTINGS: Mapping[str, str] = {
    "policies": "fcfs,pars",
    "requests": "48",
    "repeats": "2",
    "low_load_requests": "0",
    "impose_lengths": "off",
    "late_share": "1.0",  # times count from when a request was due, so what a busy client adds is in the picture
    "vllm_args": f"{DEMO_VLLM_ARGS} --max-num-seqs {AT_ONCE}",
}


def replayed_burst() -> pd.DataFrame:
    """The answers of the newest such replay; where there is none, it is done now.

    Raises:
        NothingToShow: the demo has left no log to replay.
        DemoError: the replay failed.
    """
    try:
        return _answers()
    except NothingToShow:
        _replay(DEMO / "lengths.jsonl")
        return _answers()


def _answers() -> pd.DataFrame:
    run = newest_run(model_name(TARGET_LLM), "replay", made_by="run make demo", params=SETTINGS)
    return read_answers(artefact(run, ANSWERS_FILE))


def _replay(log: Path) -> None:
    if not log.exists():
        raise NothingToShow(f"the demo's log must be in {log}, but it is not; run make demo first.")
    settings = {"lengths": str(log), "target_llm": TARGET_LLM, **SETTINGS}
    options = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
    does = f"Replay a burst of {SETTINGS['requests']} requests, {AT_ONCE} at a time, as the picture shows it."
    stage = Stage(DEMO, 1)
    stage.run([Step("burst", does, ["python", "-m", "benchmarks", "replay", *options])])
