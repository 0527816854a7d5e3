"""From an LLM that nobody knows to a ranker that its own traffic has taught, on embedded data: `make loop`.

The server of this loop is never told what to do: it starts without a ranker, notices the first one when that is
promoted, and writes the journal from which the second one is trained.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

import httpx
from tenacity import Retrying, retry_if_exception_type, retry_if_result, stop_after_delay, wait_fixed

from benchmarks.demo.demo import PROJECT, llm_step, workload_step
from benchmarks.demo.steps import DemoError, Stage, Step
from benchmarks.endpoint.live_server import serve
from registry.store import CHALLENGER, CHAMPION, alias_version, model_name
from registry.tracking import configure_tracking

TARGET_LLM = "loop-llm"
FOLDER = Path(".demo/loop")
COLLECTED, SERVED = 2000, 1500
"""Answers that are asked for on purpose, and requests of users that the journal then holds beside them."""
TRAINING_PROMPTS = 1000
"""Of the first ranker; the second one has learned from twice as many."""
POLL_S = 2.0
TAKE_OVER_LIMIT_S = 120.0
NUM_STEPS = 10

SERVER_LOG = FOLDER / "server.log"
WORKLOAD = FOLDER / "workload"
LENGTHS, USERS = WORKLOAD / "lengths.jsonl", WORKLOAD / "users.jsonl"
"""Prompts to ask on purpose, and those of users; beside each the length that the law gives its answer."""
ANSWERS, ANSWERS_TO_USERS, JOURNAL = FOLDER / "collected", FOLDER / "served", FOLDER / "journal"


def run_loop() -> str:
    """Run every step, and return what to do next.

    Raises:
        DemoError: a step failed, or the server did not take the ranker over.
        ReplayError: the server did not start.
    """
    shutil.rmtree(FOLDER, ignore_errors=True)  # a loop that was cut short would hand on its answers
    stage = Stage(FOLDER, NUM_STEPS)
    WORKLOAD.mkdir()
    stage.run(
        [
            workload_step("workload", LENGTHS, COLLECTED, seed=0),
            workload_step("users", USERS, SERVED, seed=1),
            llm_step(),
        ]
    )
    stage.announce("Serve it beside vLLM, first come, first served, with a journal that keeps texts.")
    with serve(server_settings(), SERVER_LOG) as url:
        stage.run(
            [collect_step("collect", "Ask it for answers.", LENGTHS, ANSWERS, url), first_training(), promotion()]
        )
        _wait_for_the_ranker(url)
        stage.run([collect_step("serve", "Let users ask it, ranked now.", USERS, ANSWERS_TO_USERS, url)])
    stage.run([second_training(), comparison()])
    stage.end()
    return (
        f"What the server served: .venv/bin/pars describe {JOURNAL}\n"
        f"Look at all of it:      .venv/bin/mlflow ui --backend-store-uri {configure_tracking()}"
    )


def server_settings() -> dict[str, str]:
    """Of the server: it journals what it serves, which a server that measures must not."""
    return {
        "PARS_TARGET_LLM": TARGET_LLM,
        "PARS_CHAMPION_POLL_S": f"{POLL_S:g}",
        "PARS_JOURNAL": "text",
        "PARS_JOURNAL_DIR": str(JOURNAL.absolute()),
        "MLFLOW_TRACKING_URI": configure_tracking(),
    }


def collect_step(name: str, does: str, prompts: Path, out: Path, url: str) -> Step:
    """Ask the server all prompts of a file."""
    settings = {"prompts": prompts, "out": out, "base_url": url, "model": TARGET_LLM, "max_tokens": 1024}
    return Step(name, does, [*PROJECT, "-e", "collect", *_given(settings)])


def first_training() -> Step:
    """A ranker of what was collected."""
    settings = {"lengths": ANSWERS, "target_llm": TARGET_LLM, "max_prompts": TRAINING_PROMPTS, "trials": 0}
    return Step("train", "Train a ranker of these answers.", [*PROJECT, *_given(settings)])


def promotion() -> Step:
    """The first ranker becomes the champion."""
    command = [*PROJECT, "-e", "promote", *_given({"target_llm": TARGET_LLM})]
    return Step("promote", "Make it the champion; the server that runs takes it over.", command)


def second_training() -> Step:
    """A ranker of what was served."""
    settings = {"lengths": JOURNAL, "target_llm": TARGET_LLM, "max_prompts": 2 * TRAINING_PROMPTS, "trials": 0}
    return Step("retrain", "Train a second ranker, of all that the journal holds.", [*PROJECT, *_given(settings)])


def comparison() -> Step:
    """Both rankers on prompts from which neither learned: whether one tests is told by its hash alone."""
    rankers = ",".join(f"models:/{model_name(TARGET_LLM)}@{alias}" for alias in (CHAMPION, CHALLENGER))
    settings = {"lengths": WORKLOAD, "rankers": rankers}
    return Step("compare", "Compare both on the test prompts.", [*PROJECT, "-e", "evaluate", *_given(settings)])


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
