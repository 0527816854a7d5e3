"""`training/tuning/study_charts.py`."""

import optuna

from charts.chart import Line
from charts.picture import svg
from training.tuning.study_charts import study_charts


def study(values: list[float]) -> optuna.Study:
    done = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))

    def objective(trial: optuna.Trial) -> float:
        trial.suggest_float("learning_rate", 5e-5, 1e-3, log=True)
        trial.suggest_float("min_length_difference", 0.0, 0.5)
        trial.report(values[trial.number] / 2, 10)
        if values[trial.number] < 0:
            raise optuna.TrialPruned
        return values[trial.number]

    done.optimize(objective, n_trials=len(values))
    return done


def test_a_study_shows_how_it_went_on_and_what_each_setting_did() -> None:
    charts = dict(study_charts(study([0.5, 0.6, 0.55])))
    trials, best = charts["optimization_history"].lines
    assert list(trials.y) == [0.5, 0.6, 0.55]
    assert list(best.y) == [0.5, 0.6, 0.6]
    assert charts["slice_learning_rate"].is_log_x
    assert not charts["slice_min_length_difference"].is_log_x
    assert all(svg(chart).startswith("<svg") for chart in charts.values())


def test_a_pruned_trial_has_its_curve() -> None:
    curves: tuple[Line, ...] = dict(study_charts(study([0.5, -0.2, 0.6])))["intermediate_values"].lines
    assert [(line.label, list(line.y)) for line in curves] == [
        ("trial 0", [0.25]),
        ("trial 1", [-0.1]),
        ("trial 2", [0.3]),
    ]


def test_a_study_of_one_trial_has_nothing_to_show() -> None:
    assert list(study_charts(study([0.5]))) == []
