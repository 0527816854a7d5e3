"""Counters and histograms of the ranking, on `/metrics` beside vLLM's own.

The worker process has `PROMETHEUS_MULTIPROC_DIR` set before it imports this, so the values live in files that the page
sums up. Nothing of a prompt is in a label.
"""

import os
from pathlib import Path
from typing import get_args

import psutil
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.multiprocess import mark_process_dead

from registry.promotion import Outcome

NO_RANKER = "none"
"""The label `target_llm` of requests that no ranker is for. Other values are in the settings, so there are few."""

GATES = (*get_args(Outcome), "none")
"""What a gate can have decided of a version, and that there was none."""

RANKING_SECONDS = Histogram(
    "pars_ranking_seconds",
    "Seconds in which a tier of the ranker reads one prompt: the instant one in the event loop, the encoder in its"
    " thread, without waiting for it.",
    ["tier"],
    buckets=(0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.004, 0.006, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
HOLD_SECONDS = Histogram(
    "pars_ranking_hold_seconds",
    "Seconds that a request was held for the encoder, of those that were held at all, by whose ranker.",
    ["target_llm"],
    buckets=(0.002, 0.004, 0.006, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5),
)
ENGINE_REQUESTS = Counter(
    "pars_engine_requests",
    "Engine requests by where their priority comes from: encoder, instant (the tiers of a ranker), median, arrival"
    " (ordering is off) or client.",
    ["source"],
)
FAIL_OPENS = Counter(
    "pars_ranking_fail_opens",
    "Engine requests that got the median because neither tier placed them, by reason and by whose ranker.",
    ["reason", "target_llm"],
)
TIER_FAILURES = Counter(
    "pars_ranking_tier_failures",
    "Times that a tier of a ranker could not read a request, whether the other one could or not, by reason.",
    ["tier", "reason", "target_llm"],
)
CORRECTION = Gauge(
    "pars_correction",
    "How many times longer than predicted a target LLM's answers have been lately: what predictions are multiplied by"
    " where nothing is known of a request's own tenant and template.",
    ["target_llm"],
    multiprocess_mode="livemostrecent",
)
CORRECTION_ORIGINS = Gauge(
    "pars_correction_origins",
    "Pairs of tenant and template of which the correction knows something.",
    ["target_llm"],
    multiprocess_mode="livemostrecent",
)
CORRECTION_AT_BOUND = Gauge(
    "pars_correction_at_bound_share",
    "Of those, the share whose answers are farther from the predictions than a correction goes: train a new ranker.",
    ["target_llm"],
    multiprocess_mode="livemostrecent",
)
CORRECTION_FAILURES = Counter(
    "pars_correction_failures", "Requests that went uncorrected because the correction failed; the log says of what."
)
HELD_REQUESTS = Gauge(
    "pars_requests_held",
    "Requests that are held for the encoder now, by whose ranker.",
    ["target_llm"],
    multiprocess_mode="livesum",
)
ENGINE_SEQUENCES = Gauge(
    "pars_engine_sequences",
    "Sequences that were handed on to the engine and have not left.",
    multiprocess_mode="livesum",
)
WAITING_SEQUENCES = Gauge(
    "pars_engine_waiting_sequences",
    "Sequences that wait for room in vLLM's scheduler, by its last report: while there are some, requests are held for"
    " the encoder. Without reports (--disable-log-stats), those above --max-num-seqs.",
    multiprocess_mode="livemostrecent",
)
UNREADABLE_REQUESTS = Counter(
    "pars_unreadable_requests",
    "Requests over whose body vLLM failed before the engine was asked, so that they were answered with 400.",
)
RANKER_VERSION = Gauge(
    "pars_ranker_version",
    "Version of the ranker that is served; 0 if it has none.",
    ["target_llm"],
    multiprocess_mode="livemostrecent",
)
RANKER_SINCE = Gauge(
    "pars_ranker_since_seconds",
    "Since when this ranker is served, in seconds since 1970; its age is `time() - pars_ranker_since_seconds`.",
    ["target_llm"],
    multiprocess_mode="livemostrecent",
)
RANKER_REFERENCE_ERROR = Gauge(
    "pars_ranker_reference_error",
    "How far the ranker's scores on this machine lie from those at training, as a share of their spread. Above 0.01 the"
    " order is not the one that was tested; NaN if it is not known (its card has no reference scores).",
    ["target_llm"],
    multiprocess_mode="livemostrecent",
)
CHAMPION_GATE = Gauge(
    "pars_champion_gate",
    "1 for how the champion has become one, as the registry says: promoted (it passed the gate), forced, refused (and"
    " its alias moved all the same) or none (it passed no gate).",
    ["target_llm", "gate"],
    multiprocess_mode="livemostrecent",
)
RANKER_INSTANT = Gauge(
    "pars_ranker_instant_tier",
    "1 while the ranker's instant tier is used, 0 if it has none, or that was refused or switched off as too slow.",
    ["target_llm"],
    multiprocess_mode="livemostrecent",
)
RANKER_SOURCE = Gauge(
    "pars_ranker_source",
    "1 for where the ranker that is served comes from: champion, cached (the last one served here), fallback"
    " (PARS_FALLBACK_RANKER) or none, which is first come, first served.",
    ["target_llm", "source"],
    multiprocess_mode="livemostrecent",
)
REGISTRY_LOOKED_AT = Gauge(
    "pars_registry_looked_at_seconds",
    "When the registry last said which version is the champion, in seconds since 1970; 0 before the first time. The age"
    " of the last look is `time() - pars_registry_looked_at_seconds`.",
    ["target_llm"],
    multiprocess_mode="livemostrecent",
)
ORDERING_ON = Gauge(
    "pars_ordering_on",
    "1 while requests are ordered, 0 while the tag `ordering` or the file PARS_ORDERING_FILE says off.",
    ["target_llm"],
    multiprocess_mode="livemostrecent",
)
ORDERING_SWITCHES = Counter(
    "pars_ordering_switches",
    "How often ordering was switched on or off, by what did it: tag or file.",
    ["target_llm", "by"],
)
RELOADS = Counter(
    "pars_ranker_reloads",
    "Looks for a new champion, by outcome: swapped, refused, unreachable, or at a start without registry cached.",
    ["outcome"],
)
PATIENCE_SECONDS = Gauge(
    "pars_patience_seconds",
    "PARS_PATIENCE_S: the overtaking that is allowed among requests that wait in the engine.",
    multiprocess_mode="livemostrecent",
)
JOURNAL_ROWS = Counter("pars_journal_rows", "Rows that were written into the journal.")
JOURNAL_DROPPED = Counter(
    "pars_journal_dropped",
    "Rows that the journal does not have, by reason: full (they came faster than they were written), unwritable (the"
    " disk), unreadable (no row could be made of the request) or torn (half a line, left by a killed server).",
    ["reason"],
)
JOURNAL_BYTES = Gauge(
    "pars_journal_bytes",
    "Size of the journal's folder, of all processes that write into it.",
    multiprocess_mode="livemostrecent",
)


def show_gate(target_llm: str, gate: str | None) -> None:
    """Say what the gate has decided of a champion, by the tag of its version; None where it has none."""
    for one in GATES:
        CHAMPION_GATE.labels(target_llm, one).set(one == (gate if gate in GATES else "none"))


def forget_dead_processes() -> None:
    """Take what processes that are gone had last said of themselves off the page, as a worker that was killed."""
    folder = Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR", os.devnull))
    processes = {int(path.stem.rpartition("_")[2]) for path in folder.glob("gauge_live*_[0-9]*.db")}
    for process in processes:
        if not psutil.pid_exists(process):
            mark_process_dead(process)  # type: ignore[no-untyped-call]
