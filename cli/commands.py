"""Every command, once: its name, its room, the dataclass of its settings and the function that does it.

What a command needs is imported when it is called, so that `pars --help` does not wait for torch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any, Literal

Room = Literal["registry", "traffic", "training", "benchmarks", "loop"]


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command. Its names are those of its function and settings, as `module:name`."""

    name: str
    room: Room
    """`python -m ROOM NAME` is the same command."""
    settings: str
    does: str
    """A function of the settings that returns what is to be printed."""
    help: str
    is_entry_point: bool = True
    """Whether `mlflow run . -e NAME` knows it."""
    uses_mlflow: bool = True
    makes_runs: bool = True
    """Whether it leaves a run in MLflow, and so needs an experiment to lay it in."""
    former_name: str | None = None
    """Still understood, for one version."""
    takes: str | None = None
    """The option whose name may be left out where its value comes first."""

    @property
    def entry_point(self) -> str:
        """What MLflow calls it: a training is what `mlflow run .` does by itself."""
        return "main" if self.name == "train" else self.name

    @property
    def summary(self) -> str:
        """The first line of its help."""
        return self.help.partition("\n")[0]

    def named(self, words: Sequence[str]) -> Sequence[str]:
        """The words with the name of the option that was left out."""
        return words if self.takes is None or not words or words[0].startswith("-") else [f"--{self.takes}", *words]

    def load_settings(self) -> type[Any]:
        """The dataclass of its settings."""
        found: type[Any] = resolve_name(self.settings)
        return found

    def load(self) -> Callable[[Any], str]:
        """The function that does it."""
        found: Callable[[Any], str] = resolve_name(self.does)
        return found


def find_command(name: str, room: Room | None = None) -> Command | None:
    """The command of this name, of a room if one is given; None if there is none."""
    for one in commands_of(room):
        if name in (one.name, one.former_name):
            return one
    return None


def commands_of(room: Room | None = None) -> Sequence[Command]:
    """The commands of a room, or all."""
    return [one for one in COMMANDS if room in (None, one.room)]


COMMANDS = (
    Command(
        name="describe",
        room="traffic",
        settings="traffic.describe:DescribeConfig",
        does="cli.actions.descriptions:describe",
        help="Say as JSON what would be understood of a log: `pars describe LOG`; trains nothing, changes nothing.\n\n"
        "Rows, those with a label, those whose label is censored, those left out and why, target LLMs, what a user"
        " should know, and the first prompt as a ranker will read it.",
        is_entry_point=False,
        takes="log",
        uses_mlflow=False,
    ),
    Command(
        name="collect",
        room="traffic",
        settings="traffic.collect.config:CollectConfig",
        does="cli.actions.collections:collect_answers",
        help="Ask an LLM on purpose, and leave the lengths of its answers as a log.\n\n"
        "Killed at any moment, it loses nothing: the same command goes on, and asks nothing again that was recorded.",
        uses_mlflow=False,
    ),
    Command(
        name="import",
        room="traffic",
        settings="traffic.importing.import_log:ImportConfig",
        does="cli.actions.descriptions:import_log",
        help="Write any log as parquet of our own form, a folder for each target LLM, so that one is read alone.\n\n"
        "Prints as JSON what was written, what was left out and why. The folder is there whole or not at all.",
        uses_mlflow=False,
    ),
    Command(
        name="journal-erase",
        room="traffic",
        settings="cli.actions.erasures:ErasureConfig",
        does="cli.actions.erasures:erase_from_journal",
        help="Remove rows from a server's journal: those of a tenant, session, prompt, system prompt or request.\n\n"
        "Servers may be writing it; what they answer from then on is noted anew.",
        is_entry_point=False,
        takes="journal",
        uses_mlflow=False,
    ),
    Command(
        name="train",
        room="training",
        settings="training.config:TrainingConfig",
        does="cli.actions.trainings:train",
        help="Tune, train, calibrate, test and register a ranker; everything is logged to MLflow.\n\n"
        "Prompts are split by their hash: 80 % train, 10 % validate, 10 % test; --max-prompts counts those that train.",
    ),
    Command(
        name="study",
        room="training",
        settings="training.config:TrainingConfig",
        does="cli.actions.trainings:work_on_study",
        help="Work on the study of a training that runs elsewhere, with the same --storage: its trials, no final fit.",
    ),
    Command(
        name="evaluate",
        room="training",
        settings="training.judging.config:EvaluationConfig",
        does="cli.actions.trainings:evaluate",
        help="Print and log how well registered rankers order the test prompts of a length log.\n\n"
        "Several rankers are compared by a paired jackknife, and --models tests each of them on several target LLMs.",
    ),
    Command(
        name="cross-validate",
        room="training",
        settings="training.experiments.config:CrossValidationConfig",
        does="cli.actions.trainings:cross_validate",
        help="Train and test on parts of a small log in turn, and say how well a ranker does on it; registers nothing.",
    ),
    Command(
        name="ablate",
        room="training",
        settings="training.experiments.config:AblationConfig",
        does="cli.actions.trainings:ablate",
        help="Train with each loss and each --min-length-differences, over several seeds: which orders best?\n\n"
        "Registers nothing; the table and a plot are logged to MLflow.",
    ),
    Command(
        name="workload",
        room="training",
        settings="benchmarks.demo.demo_lengths:DemoLengthsConfig",
        does="cli.actions.demonstrations:write_workload",
        help="Write the embedded workload: prompts of many kinds whose lengths follow a stated law with noise.",
        is_entry_point=False,
        uses_mlflow=False,
    ),
    Command(
        name="register",
        room="registry",
        settings="cli.actions.registrations:RegisterConfig",
        does="cli.actions.registrations:register",
        help="Register a ranker's folder, such as a training leaves that could not store it: MLflow was away.",
    ),
    Command(
        name="promote",
        room="registry",
        settings="loop.gate.config:GateConfig",
        does="cli.actions.promotions:promote",
        help="Judge the challenger beside the champion, and make it the champion if it is not worse.\n\n"
        "Running servers take it within seconds, with no restart. Fresh requests are the newest of --journal or --log,"
        " else the test split of its training's log; the decision is a run, to which the version links.",
    ),
    Command(
        name="rollback",
        room="registry",
        settings="cli.actions.registrations:RollbackConfig",
        does="cli.actions.registrations:rollback",
        help="Bring the champion before this one back.",
        makes_runs=False,
    ),
    Command(
        name="ordering",
        room="registry",
        settings="cli.actions.registrations:OrderingConfig",
        does="cli.actions.registrations:ordering",
        help="Switch ordering off in running servers, or on again, within seconds and with no restart.",
        makes_runs=False,
    ),
    Command(
        name="retrain",
        room="loop",
        settings="loop.retraining.config:RetrainConfig",
        does="cli.actions.retrainings:retrain",
        help="Train a ranker on what was served, judge it on the last day, and serve it if the gate lets it pass.\n\n"
        "Fit for a timer: asks nothing, does nothing where nothing is new or another one runs, and says what it did and"
        " why. Exit code 0: done, or nothing to do; 1: an error, in one sentence; 2: a wrong option.",
    ),
    Command(
        name="targets",
        room="loop",
        settings="loop.targets.config:TargetsConfig",
        does="cli.actions.loops:targets",
        help="Show every target LLM: champion, its age, tau offline and live, gain, traffic, correction, alarm, gate.",
        is_entry_point=False,
        makes_runs=False,
    ),
    Command(
        name="replay",
        room="benchmarks",
        settings="benchmarks.replay.config:ReplayConfig",
        does="cli.actions.measurements:replay",
        help="Replay recorded traffic through the real server under FCFS, PARS, the oracle and a control.",
    ),
    Command(
        name="what-if",
        room="benchmarks",
        settings="benchmarks.what_if.config:WhatIfConfig",
        does="cli.actions.simulations:what_if",
        help="What ordering would bring for your own log of served traffic, and what to spend on; simulated.",
    ),
    Command(
        name="simulate",
        room="benchmarks",
        settings="benchmarks.simulation.config:SimulationConfig",
        does="cli.actions.simulations:simulate",
        help="Simulate traffic with vLLM's own scheduler: every order beside first-come-first-served and the oracle.",
    ),
    Command(
        name="fleet",
        room="benchmarks",
        settings="benchmarks.simulation.fleet.config:FleetConfig",
        does="cli.actions.simulations:fleet",
        help="Simulate several replicas behind a router: what routing adds to ordering.",
    ),
    Command(
        name="measure-engine",
        room="benchmarks",
        settings="benchmarks.cost.measure_engine:EngineMeasurementConfig",
        does="cli.actions.measurements:measure_engine",
        help="Measure what a step of a live engine costs, for `simulate`.",
        former_name="calibrate",
    ),
    Command(
        name="cross-check",
        room="benchmarks",
        settings="benchmarks.cross_check.config:CrossCheckConfig",
        does="cli.actions.measurements:cross_check",
        help="Hold the replay's client against `vllm bench serve`: same server, same requests, FCFS.",
    ),
    Command(
        name="overhead",
        room="benchmarks",
        settings="benchmarks.cost.overhead:OverheadConfig",
        does="cli.actions.measurements:overhead",
        help="What ranking costs beside the engine: tokens per second with and without it, and its time per request.",
    ),
    Command(
        name="journal-cost",
        room="benchmarks",
        settings="benchmarks.cost.journal_cost:JournalCostConfig",
        does="cli.actions.measurements:journal_cost",
        help="What the server's journal costs: tokens per second and processor time per request, with and without it.",
    ),
    Command(
        name="scoring",
        room="benchmarks",
        settings="benchmarks.cost.scoring_cost:ScoringConfig",
        does="cli.actions.measurements:scoring",
        help="Time a ranker against a BERT-base, and compare how it orders as served (int8) and as float32.",
    ),
    Command(
        name="shadow",
        room="loop",
        settings="loop.shadow.config:ShadowConfig",
        does="cli.actions.loops:shadow",
        help="A challenger beside the champion on what was served, offline: rolling tau-b, goodput, where they differ.",
    ),
    Command(
        name="yesterday",
        room="loop",
        settings="loop.yesterday.config:YesterdayConfig",
        does="cli.actions.loops:yesterday",
        help="What the journal's last day would have been first come, first served: the live proof of benefit.\n\n"
        "Simulated, held against what was measured, and shown by servers on /metrics.",
    ),
    Command(
        name="demo",
        room="benchmarks",
        settings="cli.actions.demonstrations:DemoConfig",
        does="cli.actions.demonstrations:demo",
        help="The whole life on embedded data: train, promote, serve, replay. Takes some ten minutes on two cores.",
        is_entry_point=False,
        makes_runs=False,
    ),
    Command(
        name="loop",
        room="loop",
        settings="cli.actions.demonstrations:DemoConfig",
        does="cli.actions.demonstrations:loop",
        help="The circle on embedded data: ask an LLM, train, serve; the LLM changes; retrain from the journal.",
        is_entry_point=False,
        makes_runs=False,
    ),
    Command(
        name="doctor",
        room="loop",
        settings="cli.actions.diagnoses:DoctorConfig",
        does="cli.actions.diagnoses:diagnose",
        help="Say what would be served here, what is wrong with it, and what to do: a line for each check.\n\n"
        "Machine, settings, engine flags, registry, rankers, clock, disks and journal, by the PARS_* variables of a"
        " server. It starts no engine and changes nothing; its output belongs into a report of a fault.",
        is_entry_point=False,
        uses_mlflow=False,
    ),
    Command(
        name="watch",
        room="loop",
        settings="loop.watch.config:WatchConfig",
        does="cli.actions.loops:watch",
        help="Has the ranker aged? Hold a journal's answers against its card: alarms, plots, findings.\n\n"
        "Tau-b, static gain and calibration of the uncorrected predictions by a sequential detector, stability of the"
        " places, what the correction did, who was not ranked, and whether the champion passed the gate.",
    ),
)
