"""How policies and loads are called where people read them. Pure."""

from math import isnan

from benchmarks.answers import ALONE

TITLES = {
    "fcfs": "FCFS (first come, first served)",
    "control": "control (shuffled labels)",
    "pars": "PARS",
    "oracle": "oracle (true lengths)",
    "oracle_work": "oracle of work (true prompts and answers)",
    "beforehand": "places known beforehand (the encoder's, found in no time)",
    "encoder": "encoder alone (no instant tier)",
    "instant": "instant tier alone (no encoder)",
    "prompt_length": "shortest prompt first",
    "outlen_bucket": "request rules (llm-d's outlen-bucket)",
    "template_mean": "template's mean length",
    "lexical_boosting": "lexical features (boosted trees)",
    "tfidf_ridge": "word statistics (TF-IDF + ridge)",
    "dealt_work": "work of prompts (answers dealt out)",
    "prompt_work": "prompt work (median answer)",
    "noise": "noisy oracle",
    "served": "as served (measured)",
    "endpoint": "the endpoint's own order",
}


def title(policy: str) -> str:
    """A policy for a table; its own name where it has no other."""
    return TITLES.get(policy, policy)


def short_title(policy: str) -> str:
    """A policy for a legend or a sentence."""
    return title(policy).split(" (")[0]


def metric_prefix(policy: str) -> str:
    """A policy in the name of an MLflow metric, which may have a colon but no @: `oracle:10` of `oracle@10`."""
    return policy.replace("@", ":")


def load_title(load: float, unrated: str) -> str:
    """A load for a heading; `unrated` says what no rate describes, such as a burst."""
    if load == ALONE:
        return "one request at a time"
    return unrated if isnan(load) else f"{load:.3g} × capacity"


def figure(value: float) -> str:
    """A number with three significant digits, and no exponent where people would stumble over it."""
    if isnan(value):
        return "not known"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
