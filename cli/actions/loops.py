"""Commands of the circle: what was served judges rankers, and leads to new ones."""

import shutil
import sys
import time

from benchmarks.simulation.engine.run import on_all_cores
from cli.actions.simulations import with_where_to_look
from loop.shadow.config import ShadowConfig
from loop.shadow.shadow import run_shadow
from loop.targets.all_targets import read_targets
from loop.targets.config import TargetsConfig
from loop.targets.target_table import shown
from loop.watch.config import WatchConfig
from loop.watch.watched_journal import AlarmStands, run_watch
from loop.yesterday.config import YesterdayConfig
from loop.yesterday.yesterday import run_yesterday
from registry.runs.stored_run import stored_run
from serving.work.step_cost import StepCost


def targets(config: TargetsConfig) -> str:
    """Show every target LLM of the registry."""
    width = shutil.get_terminal_size().columns
    return shown(read_targets(config, time.time()), config.json, sys.stdout.isatty(), width)


def shadow(config: ShadowConfig) -> str:
    """Score the journal with a challenger beside the champion."""
    cost = StepCost.read(config.cost)
    with stored_run(f"shadow {config.target_llm}"), on_all_cores() as simulate:
        return with_where_to_look(run_shadow(config, cost, simulate))


def yesterday(config: YesterdayConfig) -> str:
    """Look at the journal's last day."""
    cost = StepCost.read(config.cost)
    with stored_run(f"yesterday {config.target_llm}"), on_all_cores() as simulate:
        return with_where_to_look(run_yesterday(config, cost, simulate, time.time()))


def watch(config: WatchConfig) -> str:
    """Hold a journal's answers against their ranker's card.

    Raises:
        AlarmStands: an alarm does, and the settings ask for an exit code of it.
    """
    with stored_run(f"watch {config.target_llm}"):
        text, has_alarm = run_watch(config)
    text = with_where_to_look(text)
    if has_alarm and config.fail_on_alarm:
        raise AlarmStands(text)
    return text
