"""Settings of a collection. The command line and MLproject read their defaults from here."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from registry.errors import InvalidInput
from traffic.rows.rules import RowRules

Api = Literal["chat", "completions"]
Choice = Literal["random", "first", "disagreement"]
Switch = Literal["on", "off"]
SET_BY_US = frozenset({"model", "messages", "prompt", "n", "stream", "seed"})


@dataclass(frozen=True, kw_only=True)
class CollectConfig:
    """Which prompts are asked, of which LLM, how, and where the answers' lengths go."""

    prompts: Path
    """Prompts: any log that a training takes (its answers do not count), a file with a column of prompts, or a text
    file (.txt) with a prompt a line. A prompt that stands there twice is asked once."""
    base_url: str | None = None
    """Address of an OpenAI-compatible endpoint, with or without `/v1`. The environment variable OPENAI_API_KEY is its
    key, if it needs one; never write a key into a setting, since settings are logged."""
    model: str | None = None
    """The LLM that is asked, by the endpoint's name for it; its only one unless given."""
    samples: int = 1
    """Answers to each prompt."""
    out: Path = Path("collected")
    """Folder of the answers, one line each in `answers.jsonl`: a log that every command takes. What stands there is not
    asked again, so the same command goes on where it stopped."""
    most: int | None = None
    """Prompts that are asked, at most; all unless given."""
    choose: Choice = "random"
    """Which of more prompts, and in which order: `random` by their hash (the same ones every time), the `first` of the
    file, or those on which the two tiers of `ranker`, or two `rankers`, are in most `disagreement`: each places all
    prompts by their predicted lengths, from 0 to 1, and the difference of the two places counts."""
    ranker: str | None = None
    """For choose=disagreement: a ranker with two tiers (`models:/NAME@ALIAS`, `models:/NAME/VERSION` or a folder)."""
    rankers: tuple[str, ...] = ()
    """For choose=disagreement: two rankers, separated by a comma."""
    api: Api = "chat"
    """`chat` sends messages (a prompt that is text as one message of a user), `completions` the text that a ranker
    reads of them."""
    max_tokens: int = 2048
    """Limit of an answer's tokens, thinking included. An answer that is cut there tells only that it is longer."""
    temperature: float | None = None
    """Of sampling; the endpoint's own unless given."""
    top_p: float | None = None
    """Of sampling; the endpoint's own unless given."""
    seed: int = 0
    """Seed of the first sample of a prompt; each further one's is 1 more. Below 0 none is sent, for endpoints that
    refuse the field."""
    extra: str | None = None
    """More fields of each request as a JSON object, such as {"reasoning_effort": "low"}; a null leaves a field out that
    would be sent otherwise."""
    tools: Switch = "on"
    """Whether tools and template settings of a log's requests are sent along, since answers differ with them."""
    concurrency: int = 32
    """Requests that wait for their answers at the same time, at most."""
    timeout_s: float = 600.0
    """How long an answer may take."""
    retry_s: float = 600.0
    """For how long a request is tried again (connection errors, 408, 409, 429, 5xx) before it is left to the next
    start."""
    keep_answers: Switch = "off"
    """Whether the answers' texts are written down too."""
    batch_out: Path | None = None
    """Ask nothing, but write the requests as OpenAI batch files into this folder, for `vllm run-batch` or a hosted
    service; put the results beside them, and the folder is a log."""
    prompt_column: str = RowRules.prompt_column
    """Column of the prompt: text, or a list of chat messages; a row without it falls back on the column `messages`."""
    bad_row_share: float = RowRules.bad_row_share
    """Share of the rows that may be bad: they are left out and counted."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        self._require(self.samples >= 1, "samples must be at least 1", self.samples)
        self._require(self.most is None or self.most >= 1, "most must be at least 1", self.most)
        self._require(self.max_tokens >= 1, "max_tokens must be at least 1", self.max_tokens)
        self._require(self.concurrency >= 1, "concurrency must be at least 1", self.concurrency)
        self._require(self.timeout_s > 0, "timeout_s must be above 0", self.timeout_s)
        self._require(self.retry_s >= 0, "retry_s must be at least 0", self.retry_s)
        self._check_choice()
        self._check_address()
        _ = self.extra_fields

    @property
    def extra_fields(self) -> dict[str, Any]:
        """The further fields of each request.

        Raises:
            InvalidInput: they are no JSON object, or hold a field that the collection sets itself.
        """
        try:
            fields = json.loads(self.extra or "{}")
        except ValueError as error:
            raise InvalidInput(f"extra must be a JSON object, but got {self.extra!r}: {error}.") from error
        self._require(isinstance(fields, dict), "extra must be a JSON object", self.extra)
        ours = ", ".join(sorted(SET_BY_US & fields.keys()))
        self._require(not ours, f"extra may not hold {ours}, which the settings or the prompts say", self.extra)
        return dict(fields)

    @property
    def rules(self) -> RowRules:
        """How the prompts' rows are read."""
        return RowRules(prompt_column=self.prompt_column, bad_row_share=self.bad_row_share)

    def _check_choice(self) -> None:
        given = (self.ranker is not None) + bool(self.rankers)
        if self.choose == "disagreement":
            self._require(given == 1, "choose=disagreement needs either ranker=URI or rankers=URI,URI", self._rankers)
            self._require(
                self.most is not None, "choose=disagreement needs most=N, how many prompts to take", self.most
            )
        else:
            self._require(not given, "rankers say something to choose=disagreement only", self._rankers)
        self._require(len(self.rankers) in (0, 2), "rankers must be two, separated by a comma", ",".join(self.rankers))

    def _check_address(self) -> None:
        if self.batch_out is None:
            rule = "base_url must be an endpoint's address, such as http://127.0.0.1:8000/v1 (or batch_out a folder)"
            self._require(self.base_url is not None, rule, self.base_url)
        elif self.base_url is None:
            self._require(self.model is not None, "batch_out without an endpoint needs model=NAME", self.model)

    @property
    def _rankers(self) -> str:
        return f"ranker={self.ranker}, rankers={','.join(self.rankers)}"

    def _require(self, holds: bool, rule: str, value: object) -> None:
        if not holds:
            raise InvalidInput(f"{rule}, but got {value!r}.")
