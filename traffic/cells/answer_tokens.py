"""Tokens of answers whose text stands in a log but not their length, counted by the target LLM's own tokenizer."""

from pathlib import Path

from tokenizers import Tokenizer

from registry.errors import InvalidInput

TOKENIZER_FILE = "tokenizer.json"


def load_tokenizer(name: str) -> Tokenizer:
    """The tokenizer of a file, of a folder that holds a `tokenizer.json`, or of a Hugging Face name.

    Raises:
        InvalidInput: there is none.
    """
    path = Path(name)
    file = path / TOKENIZER_FILE if path.is_dir() else path
    try:
        tokenizer = Tokenizer.from_file(str(file)) if file.is_file() else Tokenizer.from_pretrained(name)
    except Exception as error:  # the library raises nothing narrower
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InvalidInput(
            f"tokenizer must be a {TOKENIZER_FILE}, a folder that holds one or a Hugging Face name,"
            f" but {name!r} cannot be loaded: {told.rstrip('.')}."
        ) from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def count_tokens(tokenizer: Tokenizer, answer: str) -> int:
    """Tokens of an answer, special ones left out."""
    return len(tokenizer.encode(answer, add_special_tokens=False).ids)
