"""From an LLM that nobody knows to a ranker that its own traffic has taught, and teaches again: `make loop`.

The server of this loop is never told what to do: it starts without a ranker, notices the first one when that is
promoted, and writes the journal. Then the LLM gives way to its next version, which has other habits. The ranker errs,
the server's own figures say so, one command retrains it from the journal, and the server takes that over.
"""

import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import httpx
from tenacity import Retrying, retry_if_exception_type, retry_if_result, stop_after_delay, wait_fixed

from benchmarks.demo import habits
from benchmarks.demo.demo import FOLDER as DEMO
from benchmarks.demo.demo import PROJECT, llm_step, workload_step
from benchmarks.demo.outcome import look_at_all
from benchmarks.demo.steps import DemoError, Stage, Step
from benchmarks.endpoint.live_server import serve
from loop.demo.account import Account, alarms_on
from registry.store import alias_version
from registry.tracking import configure_tracking

TARGET_LLM = "loop-llm"
FOLDER = Path(".demo/loop")
LLM = DEMO / "llm"
ASKED, USED, CHANGED = 1500, 600, 1600
"""Answers that are asked for on purpose, those to users before the LLM changes and again after its ranker was
retrained, and those between."""
TRAINING_PROMPTS = 1000
"""Of the first ranker."""
POLL_S = 2.0
TAKE_OVER_LIMIT_S = 120.0
NUM_STEPS = 14

SERVER_LOG = FOLDER / "server.log"
WORKLOAD, JOURNAL = FOLDER / "workload", FOLDER / "journal"
ASKED_FILE, USED_FILE, CHANGED_FILE = (WORKLOAD / f"{name}.jsonl" for name in ("asked", "used", "changed"))


def run_loop() -> str:
    """Run every step, and return what became of the ranker, and what to do next.

    Raises:
        DemoError: a step failed, or the server did not take a ranker over.
        ReplayError: the server did not start.
    """
    shutil.rmtree(FOLDER, ignore_errors=True)  # a loop that was cut short would hand on its answers
    stage = Stage(FOLDER, NUM_STEPS)
    WORKLOAD.mkdir()
    stage.run(
        [
            workload_step("asked", ASKED_FILE, ASKED, seed=0),
            workload_step("used", USED_FILE, USED, seed=1),
            workload_step("changed", CHANGED_FILE, CHANGED, seed=2),
            llm_step(),
        ]
    )
    stage.announce("Serve it beside vLLM, first come, first served, with a journal that keeps texts.")
    account = Account(TARGET_LLM, JOURNAL)
    try:
        with serve(server_settings(), SERVER_LOG) as url:
            _live(stage, account, url)
    finally:
        habits.restore(LLM)
    stage.end()
    return "\n".join(
        [
            *account.lines(),
            f"Look      {look_at_all()} (http://127.0.0.1:5000); .venv/bin/pars targets --journal {JOURNAL}",
            "Next      your own LLM: PARS_JOURNAL=text .venv/bin/bentoml serve; pars retrain (docs/guides/loop.md)",
        ]
    )


def _live(stage: Stage, account: Account, url: str) -> None:
    """What happens while the server runs."""
    stage.run([ask_step("ask", "Ask it for answers.", ASKED_FILE, url), training_step(), promotion_step()])
    _wait_for_the_ranker(url)
    account.begins("before")
    stage.run([ask_step("serve", "Let users ask it, ranked now.", USED_FILE, url)])
    stage.announce(
        "Put the LLM's next version in its place: it answers plain questions at length, and stories shortly."
    )
    habits.update(LLM)
    account.begins("changed")
    stage.run([ask_step("drift", "Let users go on: the ranker does not know this version.", CHANGED_FILE, url)])
    account.alarms = alarms_on(httpx.get(f"{url}/metrics", timeout=30).text)
    stage.run([watch_step(), retraining_step()])
    begin_s = time.monotonic()
    _wait_for_the_ranker(url)
    account.took_over_s = time.monotonic() - begin_s
    account.begins("after")
    stage.run([ask_step("after", "Let the first users ask again, ranked by the new ranker.", USED_FILE, url)])


def server_settings() -> dict[str, str]:
    """Of the server: it journals what it serves, which a server that measures must not, and corrects nothing."""
    return {
        "PARS_TARGET_LLM": TARGET_LLM,
        "PARS_CHAMPION_POLL_S": f"{POLL_S:g}",
        "PARS_CORRECTION": "off",
        "PARS_JOURNAL": "text",
        "PARS_JOURNAL_DIR": str(JOURNAL.absolute()),
        "MLFLOW_TRACKING_URI": configure_tracking(),
    }


def ask_step(name: str, does: str, prompts: Path, url: str) -> Step:
    """Ask the server all prompts of a file."""
    settings = {"prompts": prompts, "out": FOLDER / name, "base_url": url, "model": TARGET_LLM, "max_tokens": 1024}
    return Step(name, does, [*PROJECT, "-e", "collect", *_given(settings)])


def training_step() -> Step:
    """A ranker of what was collected."""
    settings = {"lengths": FOLDER / "ask", "target_llm": TARGET_LLM, "max_prompts": TRAINING_PROMPTS, "trials": 0}
    return Step("train", "Train a ranker of these answers.", [*PROJECT, *_given(settings)])


def promotion_step() -> Step:
    """The first ranker becomes the champion."""
    command = [*PROJECT, "-e", "promote", *_given({"target_llm": TARGET_LLM, "journal": JOURNAL})]
    return Step("promote", "Let it through the gate; the server that runs takes it over.", command)


def watch_step() -> Step:
    """Has the ranker aged?"""
    command = [*PROJECT, "-e", "watch", *_given({"target_llm": TARGET_LLM, "journal": JOURNAL})]
    return Step(
        "watch", "Hold the journal's answers against the ranker's card, as the server does all the time.", command
    )


def retraining_step() -> Step:
    """One command: train on what was served since the alarm, judge on the last of it, promote."""
    settings = {"target_llm": TARGET_LLM, "journal": JOURNAL}
    does = "Retrain: learn from what was served since the alarm, judge by the last of it, promote."
    return Step("retrain", does, [*PROJECT, "-e", "retrain", *_given(settings)])


def _given(settings: Mapping[str, object]) -> list[str]:
    return [word for name, value in settings.items() for word in ("-P", f"{name}={value}")]


def _wait_for_the_ranker(url: str) -> None:
    """Until the server ranks by the champion.

    Raises:
        DemoError: it does not in time.
    """
    version = alias_version(TARGET_LLM)
    until_taken_over = Retrying(
        retry=retry_if_result(lambda served: served != version) | retry_if_exception_type(httpx.HTTPError),
        stop=stop_after_delay(TAKE_OVER_LIMIT_S),
        wait=wait_fixed(POLL_S),
        retry_error_callback=lambda _: None,
    )
    if until_taken_over(_served_version, url) is None:
        raise DemoError(
            f"the server must rank by version {version} within {TAKE_OVER_LIMIT_S:g} s, but does not; its log is"
            f" {SERVER_LOG}."
        )


def _served_version(url: str) -> int | None:
    found: int | None = httpx.post(f"{url}/rank", json={"prompt": "one"}, timeout=10).json().get("ranker_version")
    return found
