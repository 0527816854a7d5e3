"""`training/network/encoder.py`."""

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from registry.errors import InvalidInput
from traffic.notes.encoders import DEFAULT_ENCODER, encoder_path
from training.network.batches import encode_all, pad
from training.network.encoder import load_network, load_tokenizer


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
    encoded = encode_all(tokenizer, prompts, 128)
    with torch.no_grad():
        together = network(*pad(encoded))
        alone = torch.cat([network(*pad([ids])) for ids in encoded])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-3)


def test_chunks_score_as_they_do_one_by_one_and_train_the_embeddings(tokenizer: Tokenizer) -> None:
    network = load_network(DEFAULT_ENCODER, 128).eval()
    prompts = ["Define owls.", "List bees.", "Tell me a story in which bees save the day, and leave nothing out."]
    encoded = encode_all(tokenizer, prompts, 128)
    chunks = [pad(encoded[:2]), pad(encoded[2:])]
    scores = network.score_chunks(chunks)
    torch.testing.assert_close(scores, torch.cat([network(*chunk) for chunk in chunks]))
    scores.sum().backward()
    gradient = network.encoder.get_input_embeddings().weight.grad
    assert sorted(gradient.abs().sum(1).nonzero().flatten().tolist()) == sorted({one for ids in encoded for one in ids})


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
