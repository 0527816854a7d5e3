"""How the rows of a log are read: which columns, what counts answers, how many bad rows are tolerated."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from traffic.cells.conversations import MESSAGES
from traffic.cells.params import PARAM_COLUMNS

MODEL = "model"
SESSION = "session"
PROMPT_KEY = "prompt_key"
"""A journal's digest of a prompt, which it may hold instead of the text."""
ENDING_COLUMNS = ("finish_reason", "finish_reasons", "stop_reason", "done_reason", "ending")
LENGTH_COLUMNS = ("output_tokens", "response_tokens", "completion_tokens")
"""Names of the length where none was chosen, the first of them by default."""
NAME_COLUMNS = ("request_id", SESSION, "tenant", "ranker_version", "placed_by", "fail_open_reason")
AMOUNT_COLUMNS = ("time_to_first_token_s", "end_to_end_s", "predicted_tokens", "correction", "quantile")
DETAIL_COLUMNS = (*NAME_COLUMNS, "reasoning_tokens", *AMOUNT_COLUMNS)
"""What only some want to know of a row, by the names of `traffic/rows/schema.py` and of a server's journal."""
ANSWER = "answer"
ARRIVAL_COLUMN, PROMPT_TOKENS_COLUMN = "arrival_s", "prompt_tokens"


@dataclass(frozen=True, kw_only=True)
class RowRules:
    """How the rows of any log are read."""

    prompt_column: str = "prompt"
    """Column of the prompt: text, or a list of chat messages; a row without it falls back on the column `messages`,
    if there is one."""
    length_column: str = LENGTH_COLUMNS[0]
    """Column of the answer's length, in tokens of the target LLM; `response_tokens` or `completion_tokens` where a log
    has no such column."""
    tokenizer: str | None = None
    """Counts answers whose text stands in the log but not their length: the target LLM's `tokenizer.json`, a folder
    that holds it, or a Hugging Face name."""
    bad_row_share: float = 0.0
    """Share of the rows that may be bad, as one with a length of 1.5 is: they are left out and counted; a log with more
    of them is refused, and they are listed."""


class Columns(NamedTuple):
    """Which columns are read, by their names in the file; None for one that is not."""

    prompt: str | None = None
    length: str | None = None
    group: str | None = None
    arrival: str | None = None
    prompt_tokens: str | None = None
    needs_arrival: bool = False
    """Whether an answered row without an arrival is bad."""
    has_params: bool = False
    """Whether the parameters of requests are read too."""
    has_messages: bool = False
    """Whether the chat is wanted where the prompt stands beside it as text, too."""
    has_details: bool = False
    """Whether who asked, how long it took and what was predicted are read too."""
    answer: str | None = None
    """Of the answer's text, which a tokenizer counts where its length is missing; only adapters have it."""

    @property
    def wanted(self) -> set[str]:
        """All that are read of a log of our own form."""
        chosen = {self.prompt, self.length, self.group, self.arrival, self.prompt_tokens}
        messages = [MESSAGES, PROMPT_KEY] if self.prompt else []
        params = PARAM_COLUMNS if self.has_params else ()
        details = DETAIL_COLUMNS if self.has_details else []
        wanted = (*messages, MODEL, *ENDING_COLUMNS, *LENGTH_COLUMNS, *params, *details)
        return {*filter(None, chosen), *wanted}

    def of_adapted(self) -> "Columns":
        """The same columns by the names that adapters give them."""
        return self._replace(
            prompt=self.prompt and RowRules.prompt_column,
            length=self.length and RowRules.length_column,
            arrival=self.arrival and ARRIVAL_COLUMN,
            prompt_tokens=self.prompt_tokens and PROMPT_TOKENS_COLUMN,
            answer=ANSWER,
        )


class Need(NamedTuple):
    """A column that a log of our own form must have."""

    names: Sequence[str]
    """One of these."""
    asked_for: int = 1
    """How many of them an error names; the others are less usual."""

    @property
    def words(self) -> str:
        """What an error asks for."""
        return " or ".join(map(repr, self.names[: self.asked_for]))


def label_needs(rules: RowRules) -> tuple[Need, Need]:
    """The columns without which no row has a label."""
    has_default_prompt = rules.prompt_column == RowRules.prompt_column
    return Need([rules.prompt_column, *([MESSAGES] if has_default_prompt else [])]), length_need(rules)


def any_needs(rules: RowRules, prompt_tokens_column: str) -> tuple[Need, Need]:
    """The columns without which rows say nothing: the prompt, or how many tokens it has, and the length."""
    prompts, lengths = label_needs(rules)
    return prompts._replace(names=[*prompts.names, prompt_tokens_column]), lengths


def length_need(rules: RowRules) -> Need:
    """The column of the length, by whatever name where none was chosen."""
    return Need(LENGTH_COLUMNS if rules.length_column == RowRules.length_column else [rules.length_column])
