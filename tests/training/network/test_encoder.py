"""`training/network/encoder.py`."""

from itertools import pairwise
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from registry.errors import InvalidInput
from registry.request_features import view_of
from traffic.notes.encoders import DEFAULT_ENCODER, encoder_path
from training.network.batches import Chunk, Encoded, encode_all
from training.network.encoder import RankerNetwork, load_network, load_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return load_tokenizer(DEFAULT_ENCODER)


def test_the_default_encoder_lies_in_its_package() -> None:
    assert (Path(encoder_path(DEFAULT_ENCODER)) / "model.safetensors").is_file()


def test_any_other_name_is_taken_as_it_is() -> None:
    assert encoder_path("intfloat/e5-small") == "intfloat/e5-small"


def test_a_score_does_not_depend_on_padding(tokenizer: Tokenizer) -> None:
    network = load_network(DEFAULT_ENCODER, 128).eval()
    prompts = ["Define owls.", "Tell me a story in which bees save the day, and leave nothing out of it, please."]
    encoded = encode_all(tokenizer, [*map(view_of, prompts)], 128)
    with torch.no_grad():
        together = network(*encoded.chunk(torch.arange(2)))
        alone = torch.cat([network(*encoded.chunk(torch.tensor([one]))) for one in range(2)])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-3)


def test_chunks_score_as_they_do_one_by_one_and_train_the_embeddings(tokenizer: Tokenizer) -> None:
    network = load_network(DEFAULT_ENCODER, 128).eval()
    prompts = ["Define owls.", "List bees.", "Tell me a story in which bees save the day, and leave nothing out."]
    encoded = encode_all(tokenizer, [*map(view_of, prompts)], 128)
    chunks = [encoded.chunk(torch.arange(2)), encoded.chunk(torch.tensor([2]))]
    scores = network.score_chunks(chunks)
    torch.testing.assert_close(scores, torch.cat([network(*chunk) for chunk in chunks]))
    scores.sum().backward()
    gradient = network.encoder.get_input_embeddings().weight.grad
    read = {one for ids in encoded.ids for one in ids}
    assert sorted(gradient.abs().sum(1).nonzero().flatten().tolist()) == sorted(read)


def test_a_folder_works_as_an_encoder(tiny_encoder: Path, tokenizer: Tokenizer) -> None:
    assert load_network(str(tiny_encoder), 64).weight.shape == (32,)
    assert load_tokenizer(str(tiny_encoder)).encode("owls").ids == tokenizer.encode("owls").ids


def test_the_tokenizer_neither_pads_nor_truncates(tokenizer: Tokenizer) -> None:
    assert tokenizer.padding is None
    assert tokenizer.truncation is None


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be loaded"):
        load_network(str(tmp_path), 128)
    with pytest.raises(InvalidInput, match="cannot be loaded"):
        load_tokenizer(str(tmp_path))


def test_more_tokens_than_the_encoder_reads_are_refused() -> None:
    with pytest.raises(InvalidInput, match="at most 512 tokens, but max_tokens is 1000"):
        load_network(DEFAULT_ENCODER, 1000)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kept_tokens", [0, 40, 80])
def test_chunks_that_are_read_twice_give_the_same_gradients_with_the_same_dropout(
    tiny_encoder: Path, dtype: torch.dtype, kept_tokens: int
) -> None:
    network = load_network(str(tiny_encoder), 64).train()
    assert network.encoder.config.hidden_dropout_prob > 0
    chunks = [_chunk([[1] * tokens] * 3 + [[2] * 4]) for tokens in (5, 10, 15)]

    def outcome(most: float) -> list[torch.Tensor]:
        torch.manual_seed(0)
        network.zero_grad()
        with torch.autocast("cpu", dtype, enabled=dtype == torch.bfloat16):
            scores = network.score_chunks(chunks, most)
        (scores.unsqueeze(1) - scores).square().tanh().mean().backward()
        return [scores.detach(), *(one.grad for one in network.parameters() if one.grad is not None), torch.rand(1)]

    torch.testing.assert_close(outcome(kept_tokens), outcome(120))


def test_what_is_read_twice_leaves_nothing_in_memory(tiny_encoder: Path) -> None:
    network = load_network(str(tiny_encoder), 64)
    chunks = [_chunk([[1] * 50] * 4)] * 3
    kept = [_kept_numbers(network, chunks, most) for most in (0, 200, 400, 600)]
    steps = [more - less for less, more in pairwise(kept)]
    assert min(steps) > 10 * kept[0] / 3


def _chunk(ids: list[list[int]]) -> Chunk:
    return Encoded(ids, torch.zeros(len(ids), 0)).chunk(torch.arange(len(ids)))


def _kept_numbers(network: RankerNetwork, chunks: list[Chunk], kept_tokens: int) -> int:
    """Numbers that autograd saves for backward."""
    saved: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        if not isinstance(tensor, torch.nn.Parameter):
            saved[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        scores = network.score_chunks(chunks, kept_tokens)
    del scores
    return sum(saved.values())
