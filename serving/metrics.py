"""Counters and histograms of the ranking, on BentoML's `/metrics` beside vLLM's own.

The worker process has `PROMETHEUS_MULTIPROC_DIR` set before it imports this, so the values live in files that the page
sums up. Nothing of a prompt is in a label.
"""

from prometheus_client import Counter, Gauge, Histogram

RANKING_SECONDS = Histogram(
    "pars_ranking_seconds",
    "Seconds of one prompt's ranking in its thread, without waiting for it.",
    buckets=(0.001, 0.002, 0.004, 0.006, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
HOLD_SECONDS = Histogram(
    "pars_ranking_hold_seconds",
    "Seconds that a request was held for its ranking.",
    buckets=(0.002, 0.004, 0.006, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5),
)
ENGINE_REQUESTS = Counter(
    "pars_engine_requests",
    "Engine requests by where their priority comes from: ranked, median, arrival (ranking is off) or client.",
    ["source"],
)
FAIL_OPENS = Counter(
    "pars_ranking_fail_opens",
    "Engine requests that got the median instead of a ranking, by reason.",
    ["reason"],
)
UNREADABLE_REQUESTS = Counter(
    "pars_unreadable_requests",
    "Requests over whose body vLLM failed before the engine was asked, so that they were answered with 400.",
)
RANKER_VERSION = Gauge(
    "pars_ranker_version", "Version of the ranker that is served.", ["target_llm"], multiprocess_mode="livemostrecent"
)
RANKER_SINCE = Gauge(
    "pars_ranker_since_seconds",
    "Since when this ranker is served, in seconds since 1970; its age is `time() - pars_ranker_since_seconds`.",
    ["target_llm"],
    multiprocess_mode="livemostrecent",
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
