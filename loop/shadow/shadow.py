"""A challenger beside the champion on a journal: rolling tau-b, goodput in simulation, where they differ most."""

import logging

import mlflow

from benchmarks.report.page.log import log_page
from benchmarks.what_if.placed_runs import Simulate
from loop.fresh.fresh_requests import FreshRequests, read_fresh
from loop.shadow.config import ShadowConfig
from loop.shadow.request_groups import groups_of
from loop.shadow.rivals_on_record import Rivals, read_rivals
from loop.shadow.shadow_log import log_charts, log_shadow
from loop.shadow.shadow_report import ShadowReport
from loop.shadow.shadow_simulation import simulate_rivals
from loop.shadow.side_by_side import SideBySide
from registry.errors import InvalidInput
from registry.tracking import NOTE_TAG, log_parameters
from serving.work.step_cost import StepCost

logger = logging.getLogger(__name__)


def run_shadow(config: ShadowConfig, cost: StepCost, simulate: Simulate) -> str:
    """Compare, log everything to the active MLflow run, and return what is to be said.

    Raises:
        InvalidInput: there is no journal with texts of this target LLM, no champion, or nobody to compare with it.
        RegistryError, InvalidRanker: a ranker cannot be had, or does not load.
    """
    log_parameters(config)
    report = compare_rivals(config, read_rivals(config), cost, simulate)
    log_shadow(report)
    if report.simulation is None:
        log_charts(report)
        return "\n".join(report.sentences)
    where = log_page(report.evidence(cost))
    mlflow.set_tag(NOTE_TAG, "\n\n".join(report.sentences))  # the page's headline is about the queue
    return "\n".join([*report.sentences, "", where])


def compare_rivals(config: ShadowConfig, rivals: Rivals, cost: StepCost, simulate: Simulate) -> ShadowReport:
    """The same without a run.

    Raises:
        InvalidInput: there is no journal with texts of this target LLM.
    """
    logger.info("reading %s", config.path)
    requests = _readable(read_fresh(config), config)
    logger.info("scoring %s with both rankers", requests.where)
    scores = rivals.scores(requests)
    is_unseen = rivals.surely_did_not_learn(requests)
    found = SideBySide(requests, scores, rivals.tiers, is_unseen, config.window, config.seed)
    groups = found.groups(groups_of(requests, config.show_texts == "on"), config.least_group)
    if not config.max_simulated_tokens:
        return ShadowReport(config, rivals, found, groups, None)
    logger.info("simulating the queue under both orders")
    simulation = simulate_rivals(config.what_if, cost, requests, rivals, scores, simulate)
    return ShadowReport(config, rivals, found, groups, simulation)


def _readable(requests: FreshRequests, config: ShadowConfig) -> FreshRequests:
    """Those with something to read."""
    kept = requests.take([bool(view.text.strip()) for view in requests.views or ()])
    if len(kept) < 2:
        raise InvalidInput(
            f"a shadow needs at least two answered requests with a text, but {config.path} has {len(kept)} among"
            f" {requests.where}; give more days=NUMBER."
        )
    return kept
