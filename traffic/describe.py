"""What is understood of a log, before anything is trained on it."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from traffic.cells.answer_tokens import load_tokenizer
from traffic.notes.encoders import DEFAULT_ENCODER, encoder_path
from traffic.notes.unknown_tokens import SAMPLED_PROMPTS, unknown_note
from traffic.read import Reading
from traffic.rows.rules import ARRIVAL_COLUMN, PROMPT_TOKENS_COLUMN, Columns, RowRules, any_needs


@dataclass(frozen=True, kw_only=True)
class DescribeConfig(RowRules):
    """Which log, read how."""

    log: Path
    """The log: a file or a folder, as for a training."""
    model: str | None = None
    """Only the rows whose column `model` says this; all target LLMs unless given."""
    arrival_column: str = ARRIVAL_COLUMN
    """Column of the arrival, if there is one."""
    prompt_tokens_column: str = PROMPT_TOKENS_COLUMN
    """Column of the prompt's tokens, if there is one."""
    encoder: str = DEFAULT_ENCODER
    """Whose tokenizer is to read the prompts: the package of this name, a folder or file with a `tokenizer.json`, or a
    Hugging Face name."""


@dataclass
class Description:
    """What a log holds."""

    rows: int = 0
    labelled: int = 0
    """Rows from which a ranker can learn: a text and an answer."""
    censored: int = 0
    """Those of them whose true length is only known to be at least the recorded one."""
    left_out: dict[str, int] = field(default_factory=dict)
    """All other rows, by the reason why."""
    sources: dict[str, int] = field(default_factory=dict)
    """Requests of each source that was recognised: the tool whose log it is, or our own form."""
    targets: dict[str, int] = field(default_factory=dict)
    """Rows of each target LLM that the log names, most rows first; of a chosen one alone where they lie apart."""
    notes: list[str] = field(default_factory=list)
    """What a user should know: sentences."""
    first: str | None = None
    """The text of the first row as a ranker will read it."""


def describe_log(config: DescribeConfig) -> Description:
    """Read a log whole, keeping counts and a sample of its prompts.

    Raises:
        InvalidInput: it cannot be read, or more of its rows are bad than are tolerated.
    """
    reading = _reading(config)
    found = Description()
    left_out: Counter[str] = Counter()
    sample = PromptSample()
    for row in reading.rows():
        if row.left_out is not None:
            left_out[row.left_out] += 1
        else:
            found.labelled += 1
            found.censored += row.is_censored
        if row.text is not None:
            found.first = row.text if found.first is None else found.first
            sample.add(row.text)
    left_out |= Counter(bad_rows=reading.bad.count, misfits=reading.num_misfits)
    found.rows = reading.num_rows
    found.left_out = {reason: rows for reason, rows in left_out.most_common() if rows}
    found.sources = dict(reading.sources.most_common())
    found.targets = {name: rows for name, rows in reading.models.most_common() if rows}
    unknown = unknown_note(sample.prompts, load_tokenizer(encoder_path(config.encoder)), config.encoder)
    found.notes = [*reading.notes(), *([unknown] if unknown else [])]
    return found


def _reading(config: DescribeConfig) -> Reading:
    columns = Columns(
        prompt=config.prompt_column,
        length=config.length_column,
        arrival=config.arrival_column,
        prompt_tokens=config.prompt_tokens_column,
    )
    return Reading(config.log, config, columns, any_needs(config, config.prompt_tokens_column), config.model)


class PromptSample:
    """Some prompts of many, each with the same chance (reservoir sampling), the same ones every time."""

    def __init__(self, size: int = SAMPLED_PROMPTS) -> None:
        self.prompts: list[str] = []
        self._size = size
        self._seen = 0
        self._rng = Random(0)

    def add(self, prompt: str) -> None:
        """Take a prompt in, perhaps for another one."""
        self._seen += 1
        if len(self.prompts) < self._size:
            self.prompts.append(prompt)
        elif (place := self._rng.randrange(self._seen)) < self._size:
            self.prompts[place] = prompt
