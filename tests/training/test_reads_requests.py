"""A ranker that reads what is asked for, from the log to both graphs: on a law that no text tells."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from registry.artefact.files import INSTANT_FILE, ONNX_FILE
from registry.ranker import Ranker, Tier
from registry.request_features import RequestView, view_of
from traffic.labelled_prompts import LabelledPrompts
from traffic.length_log import read_length_log
from training.artefact.feature_importance import tau_lost
from training.artefact.instant_graph import write_instant_graph
from training.artefact.ranker_plots import feature_importance
from training.config import TrainingConfig
from training.distilling.instant_network import InstantNetwork
from training.distilling.packing import pack
from training.judging.ranking_metrics import kendall_tau_b
from training.train import train_folder

EFFORTS = {"low": 20, "medium": 60, "high": 200}
WORDS = ("owls", "bees", "tides", "guilds", "lemons", "clocks")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path) -> TrainingConfig:
    """Lengths follow the effort, and a cap where there is one; the words say nothing."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("log") / "lengths.jsonl"
    rows = []
    for number in range(600):
        effort, cap = rng.choice([*EFFORTS]), int(rng.choice([0, 30]))
        tokens = EFFORTS[effort] * rng.lognormal(0, 0.2)
        asked = {"reasoning_effort": effort, "temperature": 0.7, **({"max_tokens": cap} if cap else {})}
        prompt = f"{' '.join(rng.choice(WORDS, 4))} {number}"
        rows.append({"prompt": prompt, "output_tokens": int(min(tokens, cap or tokens)), "params": asked})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return TrainingConfig(
        lengths=path, target_llm="llm", encoder=str(tiny_encoder), batch_prompts=32, epochs=4, learning_rate=1e-3
    )


@pytest.fixture(scope="module")
def folder(config: TrainingConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_folder(config, tmp_path_factory.mktemp("ranker") / "ranker")


@pytest.fixture(scope="module")
def ranker(folder: Path) -> Ranker:
    return Ranker.load(folder)


@pytest.fixture(scope="module")
def without(config: TrainingConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_folder(replace(config, features="off"), tmp_path_factory.mktemp("without") / "ranker")


@pytest.fixture(scope="module")
def test_part(config: TrainingConfig) -> LabelledPrompts:
    return read_length_log(config).part("test")


def tau(ranker: Ranker, test: LabelledPrompts, tier: Tier = "encoder") -> float:
    return kendall_tau_b(ranker.scorer_of(tier).score_all(test.views), test.output_tokens)


def scores(ranker: Ranker, views: Sequence[RequestView], tier: Tier) -> list[float]:
    return ranker.scorer_of(tier).score_all(views).tolist()


def test_both_tiers_learn_what_no_text_tells(ranker: Ranker, test_part: LabelledPrompts) -> None:
    assert tau(ranker, test_part) > 0.6
    assert tau(ranker, test_part, "instant") > 0.55
    assert {"reasoning_effort", "log_max_tokens"} <= {*ranker.card.features}


def test_without_features_a_ranker_is_what_it_always_was(without: Path, test_part: LabelledPrompts) -> None:
    ranker = Ranker.load(without)
    assert tau(ranker, test_part) < 0.3
    assert ranker.card.features == () and ranker.card.features_version is None
    for name in (ONNX_FILE, INSTANT_FILE):
        names = {one.name for one in onnxruntime.InferenceSession(without / name).get_inputs()}
        assert names <= {"input_ids", "attention_mask"}


@pytest.mark.parametrize("tier", ["encoder", "instant"])
def test_what_was_constant_or_never_there_in_training_moves_no_score(ranker: Ranker, tier: Tier) -> None:
    asked = {"reasoning_effort": "low"}
    others = [{"temperature": 2.0}, {"n": 8}, {"tools": 3}, {"verbosity": "high"}, {"thinking": True}]
    views = [view_of("owls bees", asked), *(view_of("owls bees", asked | one) for one in others)]
    assert len({*scores(ranker, views, tier)}) == 1
    assert not {"temperature", "log_answers", "log_tools", "verbosity", "thinking"} & {*ranker.card.features}


@pytest.mark.parametrize("tier", ["encoder", "instant"])
def test_more_effort_is_longer_and_a_cap_is_shorter(ranker: Ranker, tier: Tier) -> None:
    low, high = (view_of("owls bees", {"reasoning_effort": one}) for one in ("low", "high"))
    capped = view_of("owls bees", {"reasoning_effort": "high", "max_tokens": 30})
    of_low, of_high, of_capped = scores(ranker, [low, high, capped], tier)
    assert of_low < of_high > of_capped


def test_importance_says_what_is_lost_without_a_feature(ranker: Ranker, test_part: LabelledPrompts) -> None:
    lost = tau_lost(ranker.scorer, ("reasoning_effort", "code_share"), test_part)
    assert lost["reasoning_effort"] > 0.15 > abs(lost["code_share"])
    assert [bar.label for bar in feature_importance(lost).bars] == ["reasoning_effort", "code_share"]
    assert tau_lost(ranker.scorer, (), test_part) == {}


def test_a_ranker_without_features_is_a_start_for_one_that_reads_them(
    config: TrainingConfig, without: Path, folder: Path, tmp_path: Path, test_part: LabelledPrompts
) -> None:
    started = replace(config, init_from=str(without), distil_epochs=0)
    assert tau(Ranker.load(train_folder(started, tmp_path / "on")), test_part) > 0.6
    back = replace(config, init_from=str(folder), features="off", distil_epochs=0, epochs=1)
    assert Ranker.load(train_folder(back, tmp_path / "off")).card.features == ()


@torch.inference_mode()
def test_the_instant_graph_computes_what_the_network_does(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = InstantNetwork(torch.randn(100, 64), reads_features=True)
    assert network.feature_head is not None
    for weights in network.feature_head.parameters():
        torch.nn.init.normal_(weights)
    views = [
        view_of("owls " * number, {"temperature": number, **({"max_tokens": 9} if number % 2 else {})})
        for number in range(1, 9)
    ]
    features = torch.from_numpy(np.array([view.vector for view in views]))
    network.feature_head.fitted(features)
    network.eval()
    prompts = [[1 + number, 5, 7] for number in range(8)]
    write_instant_graph(network, tmp_path / "instant.onnx", 128)
    session = onnxruntime.InferenceSession(tmp_path / "instant.onnx", providers=["CPUExecutionProvider"])
    found = [
        float(session.run(["score"], {"input_ids": np.array([ids]), "features": view.vector[np.newaxis]})[0][0])
        for ids, view in zip(prompts, views, strict=True)
    ]
    expected = network(pack(prompts), features).tolist()
    assert found == pytest.approx(expected, abs=0.05 * float(np.std(expected)))
