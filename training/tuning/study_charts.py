"""A study as charts: how it went on, how its trials learned, and what each setting did."""

from collections.abc import Iterator
from itertools import accumulate

import optuna
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial, TrialState

from charts.chart import Chart, Line

TAU = "validation kendall_tau_b"


def study_charts(study: optuna.Study) -> Iterator[tuple[str, Chart]]:
    """All charts by their names; none for a study of fewer than two trials that trained."""
    completed = study.get_trials(states=[TrialState.COMPLETE])
    if len(completed) + len(study.get_trials(states=[TrialState.PRUNED])) < 2:
        return
    yield "optimization_history", history(completed)
    yield "intermediate_values", learning_curves(study.trials)
    for name in study.best_params:
        yield f"slice_{name}", by_setting([trial for trial in completed if name in trial.params], name)


def history(trials: list[FrozenTrial]) -> Chart:
    """The value of each trial that was not pruned, and the best one so far."""
    numbers, values = _numbers_and_values(trials)
    best = list(accumulate(values, max))
    return Chart(
        title="How the study went on",
        x_label="trial",
        y_label=TAU,
        lines=(Line("a trial", numbers, values, 0, is_joined=False), Line("the best so far", numbers, best, 1)),
        says=f"{len(trials)} trials; the best came to {best[-1]:.3f}.",
        starts_at_zero=False,
    )


def learning_curves(trials: list[FrozenTrial]) -> Chart:
    """What each trial reported while it trained; a curve that ends early was pruned."""
    reported = [trial for trial in trials if trial.intermediate_values]
    return Chart(
        title="How the trials learned",
        x_label="step",
        y_label=TAU,
        lines=tuple(map(_curve, reported)),
        says=f"{TAU} of {len(reported)} trials while they trained.",
        starts_at_zero=False,
    )


def by_setting(trials: list[FrozenTrial], name: str) -> Chart:
    """What trials came to, by a setting."""
    _, values = _numbers_and_values(trials)
    distribution = trials[-1].distributions[name]
    return Chart(
        title=f"What {name} did",
        x_label=name,
        y_label=TAU,
        lines=(Line("a trial", [float(trial.params[name]) for trial in trials], values, 1, is_joined=False),),
        says=f"{TAU} of {len(trials)} trials by {name}; the best one had {max(trials, key=_value).params[name]:.3g}.",
        is_log_x=isinstance(distribution, FloatDistribution) and distribution.log,
        starts_at_zero=False,
    )


def _curve(trial: FrozenTrial) -> Line:
    steps = sorted(trial.intermediate_values)
    values = [trial.intermediate_values[step] for step in steps]
    return Line(f"trial {trial.number}", [float(step) for step in steps], values, trial.number)


def _numbers_and_values(trials: list[FrozenTrial]) -> tuple[list[float], list[float]]:
    return [float(trial.number) for trial in trials], [_value(trial) for trial in trials]


def _value(trial: FrozenTrial) -> float:
    assert trial.value is not None  # only such trials are shown
    return trial.value
