"""What the metrics page says of how well predictions hold, by target LLM."""

from math import isfinite, nan

from prometheus_client import Gauge

from serving.drift.target_drift import WATCHED, TargetDrift

KENDALL_TAU_B = Gauge(
    "pars_kendall_tau_b",
    "Kendall tau-b of predicted against true tokens over a target LLM's last 500 ranked answers, of the ranker alone,"
    " without the running correction; of answers that were cut only what is certain counts.",
    ["target_llm"],
    multiprocess_mode="livemostrecent",
)
PLACED_TAU_B = Gauge(
    "pars_kendall_tau_b_corrected",
    "The same of what they were placed by: the ranker with the running correction.",
    ["target_llm"],
    multiprocess_mode="livemostrecent",
)
STATIC_GAIN = Gauge(
    "pars_static_gain",
    "Share of the oracle's gain in seconds per token that the ranker's order of the same answers keeps in a queue.",
    ["target_llm"],
    multiprocess_mode="livemostrecent",
)
CALIBRATION = Gauge(
    "pars_calibration",
    "How many times longer than predicted, uncorrected, the same answers are.",
    ["target_llm"],
    multiprocess_mode="livemostrecent",
)
REFERENCE = Gauge(
    "pars_drift_reference",
    "What the ranker's card says of its tau-b, static gain and calibration on the prompts that it was tested on, of the"
    " tiers that placed the same answers; NaN where it does not say.",
    ["target_llm", "what"],
    multiprocess_mode="livemostrecent",
)
ALARM = Gauge(
    "pars_drift_alarm",
    "1 while tau-b, static gain or calibration of the ranker that is served have left what its card says: from the"
    " alarm of a sequential detector until 1,000 answers in a row have raised none, or another ranker is served.",
    ["target_llm", "what"],
    multiprocess_mode="livemostrecent",
)
ALARM_SINCE = Gauge(
    "pars_drift_alarm_since_seconds",
    "Since when that alarm stands, in seconds since 1970; 0 while there is none.",
    ["target_llm", "what"],
    multiprocess_mode="livemostrecent",
)
STABILITY_INDEX = Gauge(
    "pars_places_stability_index",
    "Population stability index of the places that the ranker's predictions have among those of validation, in ten"
    " bins: below 0.1 the requests are of the same kinds, above 0.25 they are not. NaN of fewer than 250 answers.",
    ["target_llm"],
    multiprocess_mode="livemostrecent",
)


def show_nothing_yet(target_llm: str) -> None:
    """Of a target LLM of which no answer has come."""
    STABILITY_INDEX.labels(target_llm).set(nan)
    for watched in WATCHED:
        ALARM.labels(target_llm, watched).set(0)
        ALARM_SINCE.labels(target_llm, watched).set(0)
        REFERENCE.labels(target_llm, watched).set(nan)


def show(target_llm: str, drift: TargetDrift) -> None:
    """What is known now. A correlation that is not, since all predictions are equal, stays as it was."""
    expected = drift.expected
    for watched in WATCHED:
        alarm = drift.alarms.get(watched)
        ALARM.labels(target_llm, watched).set(alarm is not None)
        ALARM_SINCE.labels(target_llm, watched).set(alarm.since_s if alarm else 0)
        REFERENCE.labels(target_llm, watched).set(expected.get(watched, nan))
    _show_rolling(target_llm, drift)


def _show_rolling(target_llm: str, drift: TargetDrift) -> None:
    STABILITY_INDEX.labels(target_llm).set(drift.stability_index())
    rolling = drift.rolling()
    values = {
        PLACED_TAU_B: drift.placed_tau_b(),
        STATIC_GAIN: rolling.static_gain,
        CALIBRATION: rolling.calibration,
        KENDALL_TAU_B: rolling.kendall_tau_b,  # the last one: who sees it there sees all
    }
    for gauge, value in values.items():
        if isfinite(value):
            gauge.labels(target_llm).set(value)
