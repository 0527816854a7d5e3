"""The encoder teaches the instant network."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import kendalltau

from registry.request_features import RequestView, view_of
from registry.window.token_window import TokenWindow
from training.config import TrainingConfig
from training.distilling import distil as distilling
from training.distilling.distil import MAX_CHARACTERS, distil, reduced
from training.distilling.instant_network import InstantNetwork
from training.distilling.lessons import LEAST_VISITS, Lessons
from training.distilling.packing import pack
from training.distilling.student import distil_loss
from training.network.encoder import RankerNetwork, load_network, load_tokenizer

WORDS = ("list", "name", "story", "essay", "poem", "sum", "code", "why", "how", "compare")
DRAWN = np.random.default_rng(0)
PROMPTS = [" ".join(DRAWN.choice(WORDS, DRAWN.integers(2, 12))) for _ in range(600)]
VIEWS = [*map(view_of, PROMPTS)]


@pytest.fixture(scope="module")
def encoder(tiny_encoder: Path) -> RankerNetwork:
    return load_network(str(tiny_encoder), 128)


def taught(encoder: RankerNetwork, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> InstantNetwork:
    """By a teacher to whom some words are worth much, stories the most."""

    def scores(_: object, __: object, ___: object, views: Sequence[RequestView], ____: object) -> np.ndarray:
        return np.array([sum(WORDS.index(word) ** 2 for word in view.text.split()) / 50 - 7 for view in views])

    monkeypatch.setattr(distilling, "network_scores", scores)
    config = TrainingConfig(lengths=Path("none"), target_llm="llm", encoder=str(tiny_encoder), distil_epochs=2)
    return distil(config, encoder, load_tokenizer(str(tiny_encoder)), VIEWS[:400])


def test_the_student_orders_prompts_as_its_teacher_does(
    encoder: RankerNetwork, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = load_tokenizer(str(tiny_encoder))
    window = TokenWindow(tokenizer, 128, MAX_CHARACTERS)
    unseen = pack([window.ids(prompt) for prompt in PROMPTS[400:]])
    first, second = (taught(encoder, tiny_encoder, monkeypatch)(unseen).detach() for _ in range(2))
    truth = distilling.network_scores(None, None, None, VIEWS[400:], None)  # type: ignore[arg-type]
    assert kendalltau(first.numpy(), truth).statistic > 0.8
    assert torch.equal(first, second), "the seed decides all"


def test_no_loss_is_smaller_than_that_of_the_teachers_own_odds() -> None:
    teacher = torch.linspace(-2, 2, 9)
    losses = {factor: float(distil_loss(factor * teacher, teacher)) for factor in (-3.0, 0.0, 2.0, 3.0, 4.0)}
    assert min(losses, key=lambda factor: losses[factor]) == 3.0
    assert losses[0.0] < losses[-3.0]


def test_word_pieces_begin_as_the_encoder_knows_them(encoder: RankerNetwork) -> None:
    embeddings = torch.randn(500, 8) @ torch.randn(8, 128)  # of 128 numbers only 8 say anything
    vectors = reduced(embeddings)
    assert vectors.shape == (500, 64)
    there = torch.pdist(embeddings)
    assert torch.corrcoef(torch.stack([torch.pdist(vectors), there]))[0, 1] > 0.999
    assert reduced(encoder.word_embeddings.detach()).shape == (30_522, 32)


@pytest.mark.parametrize(("prompts", "steps"), [(2, 2), (100, 12), (4_000, 200), (9_999, 202), (50_000, 195)])
def test_few_prompts_come_often_and_in_small_batches(prompts: int, steps: int) -> None:
    lessons = Lessons([[1]] * prompts, torch.zeros(prompts, 1), torch.arange(prompts).float(), seed=0)
    assert len(lessons) == steps
    seen = torch.cat([lesson.teacher for lesson in lessons])
    assert prompts < LEAST_VISITS or len(seen.unique()) > prompts - 256
    assert len(seen) <= 2 * prompts


def test_each_epoch_has_an_order_of_its_own() -> None:
    lessons = Lessons([[1]] * 50_000, torch.zeros(50_000, 1), torch.arange(50_000).float(), seed=0)
    first, second = (next(iter(lessons)).teacher for _ in range(2))
    assert not torch.equal(first, second)
