"""`fit.py` and `module.py`: small fits with each loss and pairing. The whole training is in test_train.py."""

import gc
import weakref
from pathlib import Path
from typing import Any, ClassVar

import lightning
import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import Callback

from registry.errors import InvalidInput
from tests.training.fitting.soups import Trainings
from tests.training.labelling import LOSSES_AND_WEIGHTINGS
from traffic.labelled_prompts import LabelledPrompts
from traffic.length_log import read_length_log
from training.config import TrainingConfig
from training.fitting.fit import fit
from training.fitting.module import ENCODER_TOKENS, TOTAL_ENCODER_TOKENS, VALIDATION_TAU
from training.judging.ranking_metrics import kendall_tau_b
from training.network.batches import encode_all
from training.network.encoder import RankerNetwork, load_network, load_tokenizer


@pytest.fixture
def config(workload_log: Path, tiny_encoder: Path) -> TrainingConfig:
    """A training of less than a second, with a rate that suits an encoder that knows nothing."""
    return TrainingConfig(
        lengths=workload_log,
        target_llm="llm",
        encoder=str(tiny_encoder),
        word_embeddings="trained",
        learning_rate=3e-3,
        batch_prompts=16,
        chunk_tokens=512,
        epochs=3,
        trials=0,
        validations_per_epoch=1,
    )


def parts(config: TrainingConfig) -> tuple[LabelledPrompts, LabelledPrompts]:
    log = read_length_log(config)
    return log.part("train"), log.part("validation")


def tau_of(network: RankerNetwork, config: TrainingConfig, some: LabelledPrompts) -> float:
    encoded = encode_all(load_tokenizer(config.encoder), some.views, config.max_tokens)
    with torch.no_grad():
        return kendall_tau_b(network(*encoded.chunk(torch.arange(len(some)))).double().numpy(), some.output_tokens)


class Metrics(Callback):
    """Keeps what was logged at each validation and at the end."""

    def __init__(self) -> None:
        self.validated: list[dict[str, float]] = []
        self.last: dict[str, float] = {}

    def on_validation_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        self.validated.append({name: float(value) for name, value in trainer.callback_metrics.items()})

    def on_train_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        self.last = {name: float(value) for name, value in trainer.callback_metrics.items()}


@pytest.mark.parametrize(("loss", "pair_weighting"), LOSSES_AND_WEIGHTINGS)
def test_each_loss_learns_to_order_unseen_prompts(config: TrainingConfig, loss: str, pair_weighting: str) -> None:
    config = config.with_values({"loss": loss, "pair_weighting": pair_weighting})
    train, validation = parts(config)
    network, _ = fit(config, train, validation)
    assert tau_of(network, config, validation) > 0.3


def test_the_paper_preset_learns_and_encodes_a_prompt_once_a_pair(workload_log: Path, tiny_encoder: Path) -> None:
    config = TrainingConfig(
        lengths=workload_log, target_llm="llm", encoder=str(tiny_encoder), preset="paper", trials=0, chunk_tokens=4096
    )
    train, validation = parts(config)
    metrics = Metrics()
    network, _ = fit(config, train, validation, [metrics])
    lightning.seed_everything(config.seed, verbose=False)
    untrained = load_network(config.encoder, config.max_tokens).eval()
    assert tau_of(network, config, train) > tau_of(untrained, config, train) + 0.05
    tokens = sum(map(len, encode_all(load_tokenizer(config.encoder), train.views, config.max_tokens).ids))
    assert metrics.last[TOTAL_ENCODER_TOKENS] == pytest.approx(3 * 2 * 10 * tokens, rel=0.1)


def test_censored_answers_do_not_mislead(config: TrainingConfig) -> None:
    train, validation = parts(config)
    is_cut = train.output_tokens > 20
    recorded = np.where(is_cut, 20.0, train.output_tokens)
    # Cut at different lengths, some of them below answers that ended: taken as they are, these would be wrong.
    recorded[is_cut] -= np.random.default_rng(0).integers(0, 19, is_cut.sum())
    taus = []
    for is_censored in (is_cut, np.zeros_like(is_cut)):
        network, _ = fit(config, LabelledPrompts.of(train.prompts, recorded, is_censored), validation)
        taus.append(tau_of(network, config, validation))
    assert taus[0] > taus[1] + 0.05


def test_encoder_tokens_count_every_pass_of_training_and_none_of_validation(config: TrainingConfig) -> None:
    train, validation = parts(config)
    metrics = Metrics()
    fit(config, train, validation, [metrics])
    tokens = sum(map(len, encode_all(load_tokenizer(config.encoder), train.views, config.max_tokens).ids))
    assert [one[ENCODER_TOKENS] for one in metrics.validated] == [tokens, 2 * tokens, 3 * tokens]
    assert all(VALIDATION_TAU in one for one in metrics.validated)
    assert metrics.last[TOTAL_ENCODER_TOKENS] == 3 * tokens


def test_the_same_seed_gives_the_same_network(config: TrainingConfig) -> None:
    config = config.with_values({"pairing": "sampled", "partners": 2, "batch_pairs": 16, "epochs": 1})
    train, validation = parts(config)
    weights = [fit(one, train, validation)[0].weight for one in (config, config, config.with_values({"seed": 1}))]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_soup_is_the_mean_of_trainings_that_differ_in_their_batches_alone(config: TrainingConfig) -> None:
    class FirstWeights(Callback):
        seen: ClassVar[list[torch.Tensor]] = []

        def on_train_start(self, _: lightning.Trainer, module: Any) -> None:
            self.seen.append(module.network.weight.detach().clone())

    config = config.with_values({"word_embeddings": "frozen"})
    metrics, trainings = Metrics(), Trainings()
    train, validation = parts(config)
    network, _ = fit(config.with_values({"soup": 3}), train, validation, [FirstWeights(), metrics, trainings])
    alone, _ = fit(config, train, validation)
    first, *others = FirstWeights.seen
    assert all(torch.equal(first, one) for one in others)
    assert torch.equal(network.word_embeddings, alone.word_embeddings), "to the last bit"
    one, two, three = trainings.weights
    assert torch.equal(one["weight"], alone.weight)
    assert not torch.equal(one["weight"], two["weight"])
    for name, weights in network.state_dict().items():
        mean = torch.stack([one[name], two[name], three[name]]).double().mean(0)
        torch.testing.assert_close(weights, mean.to(weights))
    tokens = sum(map(len, encode_all(load_tokenizer(config.encoder), train.views, config.max_tokens).ids))
    assert metrics.last[TOTAL_ENCODER_TOKENS] == 3 * 3 * tokens, "what all of them have read"


def test_pairs_that_cannot_be_sampled_end_before_any_training(config: TrainingConfig) -> None:
    train, validation = parts(config)
    config = config.with_values({"pairing": "sampled", "min_length_difference": 0.999})
    with pytest.raises(InvalidInput, match=r"none of \d+ training prompts differ enough .* lower it"):
        fit(config, train, validation)


def test_neither_optimiser_state_nor_network_outlives_a_fit(config: TrainingConfig) -> None:
    class Optimizers(Callback):
        seen: ClassVar[list[torch.optim.Optimizer]] = []

        def on_train_start(self, trainer: lightning.Trainer, *_: Any) -> None:
            self.seen.extend(trainer.optimizers)

    network, _ = fit(config, *parts(config), [Optimizers()])
    weights = weakref.ref(network.weight)
    assert network.weight.grad is None
    assert [optimizer.state for optimizer in Optimizers.seen] == [{}]
    del network
    gc.collect()
    assert weights() is None


@pytest.mark.parametrize(("word_embeddings", "change"), [("frozen", False), ("trained", True)])
def test_word_embeddings_change_only_if_they_are_trained(
    config: TrainingConfig, word_embeddings: str, change: bool
) -> None:
    before = load_network(config.encoder, config.max_tokens).encoder.get_input_embeddings().weight
    network, _ = fit(config.with_values({"word_embeddings": word_embeddings}), *parts(config))
    after = network.encoder.get_input_embeddings().weight
    assert bool((before != after).any()) == change
