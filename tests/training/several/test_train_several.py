"""`training/several/`: one encoder for three target LLMs, a ranker of each, and one pass for all of them."""

import json
from pathlib import Path

import mlflow
import numpy as np
import pytest
import torch

from registry.artefact.files import INSTANT_FILE, ONNX_FILE, WEIGHTS_FILE, sha256_of
from registry.artefact.graph import Graph
from registry.errors import InvalidInput
from registry.ranker import Ranker
from registry.store import ranker_folder
from tests.conftest import tracking
from tests.training.labelling import labels
from traffic.labelled_prompts import LabelledPrompts
from training.config import TrainingConfig
from training.fitting.losses import margin_ranking, within_targets
from training.network.batches import Labels
from training.network.encoder import load_network, load_weights
from training.network.examples import joined
from training.several.targets import read_targets
from training.several.train_several import train_several

MODELS = ("first", "second", "third")


@pytest.fixture(scope="module")
def several_log(tmp_path_factory: pytest.TempPathFactory, workload_log: Path) -> Path:
    """The workload as answered by three: the second one's answers are longest where the first one's are shortest, and
    the third has answered every other prompt, as the first. A fourth has answered two prompts."""
    rows = [json.loads(line) for line in workload_log.read_text().splitlines()]
    path = tmp_path_factory.mktemp("several") / "lengths.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number, row in enumerate(rows):
            plain = {name: value for name, value in row.items() if name != "finish_reason"}
            turned = plain | {"output_tokens": max(1, 2000 // row["output_tokens"])}
            answers = {"first": plain, "second": turned, **({"third": plain} if number % 2 else {})}
            for model, answer in {**answers, **({"few": plain} if number < 2 else {})}.items():
                file.write(json.dumps(answer | {"model": model}) + "\n")
    return path


@pytest.fixture
def config(several_log: Path, tiny_encoder: Path) -> TrainingConfig:
    return TrainingConfig(
        lengths=several_log,
        models=("all",),
        encoder=str(tiny_encoder),
        word_embeddings="trained",
        learning_rate=3e-3,
        batch_prompts=16,
        epochs=4,
        distil_epochs=1,
        validations_per_epoch=1,
    )


def test_three_are_trained_on_one_encoder_and_read_in_one_pass(
    tmp_path: Path, config: TrainingConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tracking(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        experiment = mlflow.create_experiment("several", (tmp_path / "artifacts").as_uri())
        mlflow.set_experiment(experiment_id=experiment)
        trained = train_several(config)
        folders = [ranker_folder(f"models:/{one.name}/{one.version}") for one in trained]
        runs = mlflow.search_runs([experiment], output_format="list")
    assert [one.name for one in trained] == ["pars-first", "pars-second", "pars-third"]  # of `few` too little is known
    assert all(one.metrics["kendall_tau_b"] > 0.2 for one in trained)
    (whole,) = [run for run in runs if "mean_kendall_tau_b" in run.data.metrics]
    assert len(runs) == 4
    taus = [one.metrics["kendall_tau_b"] for one in trained]
    assert whole.data.metrics["mean_kendall_tau_b"] == pytest.approx(np.mean(taus))
    assert {f"validation_kendall_tau_b/{one.name}" for one in trained} <= set(whole.data.metrics)
    assert len({sha256_of(folder / ONNX_FILE) for folder in folders}) == 1
    assert len({sha256_of(folder / INSTANT_FILE) for folder in folders}) == 3
    passes = _counted_passes(monkeypatch)
    rankers = [Ranker.load(folder, name) for folder, name in zip(folders, MODELS, strict=True)]
    passes.clear()
    first, second, third = (ranker.predict("Name three rivers.").score for ranker in rankers)
    assert len(passes) == 1
    assert len({first, second, third}) == 3
    assert rankers[1].predict("Name three rivers.").score == second
    assert len(passes) == 2  # the same ranker again reads again: nothing here makes repeated requests look cheap


def _counted_passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    passes: list[int] = []
    score = Graph.score

    def counting(self: Graph, head: int, view: object, run: object) -> float:
        return score(self, head, view, lambda: (passes.append(head), run())[1])  # type: ignore[arg-type, operator]

    monkeypatch.setattr(Graph, "score", counting)
    return passes


def test_a_target_llm_that_is_named_must_have_enough_answers(config: TrainingConfig) -> None:
    with pytest.raises(InvalidInput, match=r"few: the \w+ part must hold"):
        read_targets(config.with_values({"models": ("first", "few")}))
    with pytest.raises(InvalidInput, match="no row is of model 'nobody'"):
        read_targets(config.with_values({"models": ("first", "nobody")}))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"target_llm": "llm"}, "models names the target LLMs"),
        ({"model": "first"}, "models names the target LLMs"),
        ({"models": ("all", "first")}, "models must be all, or different names"),
        ({"models": ("first", "first")}, "models must be all, or different names"),
        ({"trials": 2}, "without a study"),
        ({"pairing": "sampled"}, "without a study"),
        ({"models": ()}, "target_llm must name"),
    ],
)
def test_settings_that_several_cannot_have_are_refused(
    config: TrainingConfig, values: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        config.with_values(values)


def test_lengths_of_two_target_llms_are_never_compared() -> None:
    part = LabelledPrompts.of
    ended = np.zeros(2, dtype=np.bool_)
    examples = joined(
        {"a": part(("p", "q"), np.array([1.0, 9.0]), ended), "b": part(("q", "r"), np.array([3.0, 2]), ended)}
    )
    assert [view.text for view in examples.views] == ["p", "q", "r"]
    scores = torch.tensor([[0.0, 50.0], [0.2, 1.0], [70.0, 1.0]])
    loss = margin_ranking(1.0, 0.0)
    ours = within_targets(loss, scores, examples.labels)
    alone = [loss(torch.tensor([0.0, 0.2]), labels([1, 9])), loss(torch.tensor([1.0, 1.0]), labels([3, 2]))]
    assert float(ours) == pytest.approx(float(sum(alone)) / 2)
    one_target = Labels(*(field[:2] for field in labels([1, 9])))
    assert within_targets(loss, scores[:2, 0], one_target) == loss(scores[:2, 0], one_target)


def test_a_new_target_llm_starts_from_the_mean_of_the_heads(tmp_path: Path, tiny_encoder: Path) -> None:
    from safetensors.torch import save_model

    several = load_network(str(tiny_encoder), 64, heads=3)
    save_model(several, str(tmp_path / WEIGHTS_FILE))
    one, two = load_network(str(tiny_encoder), 64), load_network(str(tiny_encoder), 64, heads=2)
    load_weights(one, tmp_path / WEIGHTS_FILE)
    torch.testing.assert_close(one.weight, several.weight.mean(0))
    load_weights(two, tmp_path / WEIGHTS_FILE)
    torch.testing.assert_close(two.weight, several.weight.mean(0).expand(2, -1))
