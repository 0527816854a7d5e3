"""Ask a target LLM on purpose, and leave the lengths of its answers as a log.

No request that was recorded is asked again, and none is missing in the end, whatever kills this process: see
`asking/asker.py` for what becomes of those that were on their way.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from registry.errors import UserError
from terminal.progress import progress
from traffic.collect.answer_folder import ASKER_LOG, AnswerFolder
from traffic.collect.asking.asker import AskerSettings, Outcome
from traffic.collect.asking.asker_process import AskerProcess, asker
from traffic.collect.asking.models_offered import find_endpoint
from traffic.collect.batch_files import write_batches
from traffic.collect.config import CollectConfig
from traffic.collect.prompt_files import read_prompts
from traffic.collect.questions import Questions
from traffic.collect.selection import chosen_places

logger = logging.getLogger(__name__)

GIVE_UP_AFTER = 20
"""So many requests in a row without an answer, and the endpoint or a setting is wrong, not the requests."""
ANSWERED = frozenset({"ended", "cut", "aborted"})


class Unanswered(UserError):
    """A collection that is not complete; the same command goes on with it."""


@dataclass
class Collected:
    """What one start of a collection has brought."""

    wanted: int
    """Answers that there are to be in the end."""
    known: int
    """Of them settled before this start."""
    fates: Counter[str] = field(default_factory=Counter)
    """How this start's requests ended."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Why some were not answered."""
    in_a_row: int = 0
    """The last so many got no answer."""

    def count(self, outcome: Outcome) -> None:
        """Take one outcome in."""
        self.fates[outcome.fate] += 1
        if outcome.fate in ANSWERED:
            self.in_a_row = 0
        else:
            self.in_a_row += 1
            self.reasons[outcome.reason] += 1

    @property
    def is_hopeless(self) -> bool:
        """Whether to go on makes no sense."""
        return self.in_a_row >= GIVE_UP_AFTER or self.fates["lost"] > 0

    @property
    def open(self) -> int:
        """Requests that are neither answered nor refused for good."""
        return self.wanted - self.known - sum(self.fates[one] for one in (*ANSWERED, "refused"))


def collect(config: CollectConfig) -> Collected:
    """Ask what is not settled yet, and say what came of it.

    Raises:
        InvalidInput: a setting, the prompts or the endpoint cannot be used; nothing was asked.
        Unanswered: some requests are still open.
    """
    assert config.base_url is not None
    address, model = find_endpoint(config.base_url, config.model)
    questions = _questions(config, model)
    folder = AnswerFolder(config.out)
    with folder.held() as lock:
        settled = folder.settled()
        num_open = questions.num_open(settled)
        collected = Collected(len(questions), len(questions) - num_open)
        if num_open:
            with asker(_settings(config, folder, address + questions.path), lock, folder.path / ASKER_LOG) as process:
                for outcome in _shown(_until_hopeless(process, questions, settled, collected), collected):
                    collected.count(outcome)
    _check(collected, config)
    return collected


def write_requests(config: CollectConfig) -> tuple[list[Path], int]:
    """Write what is not settled yet as batch files instead; return them, and how many requests they hold.

    Raises:
        InvalidInput: a setting or the prompts cannot be used, or requests lie there already.
    """
    assert config.batch_out is not None
    model = find_endpoint(config.base_url, config.model)[1] if config.base_url else config.model
    assert model is not None
    questions = _questions(config, model)
    settled = AnswerFolder(config.out).settled()
    return write_batches(config.batch_out, questions.path, questions.open(settled)), questions.num_open(settled)


def _questions(config: CollectConfig, model: str) -> Questions:
    prompts = read_prompts(config)
    for note in prompts.notes:
        logger.warning("%s", note)
    return Questions.of(config, model, prompts.asked, chosen_places(config, prompts.asked).tolist())


def _settings(config: CollectConfig, folder: AnswerFolder, url: str) -> AskerSettings:
    return AskerSettings(
        url=url,
        answers=str(folder.answers),
        unanswered=str(folder.unanswered),
        concurrency=config.concurrency,
        timeout_s=config.timeout_s,
        retry_s=config.retry_s,
        keeps_text=config.keep_answers == "on",
    )


def _until_hopeless(
    process: AskerProcess, questions: Questions, settled: set[str], collected: Collected
) -> Iterator[Outcome]:
    for outcome in process.outcomes(questions.open(settled), questions.config.concurrency):
        yield outcome
        if collected.is_hopeless:
            yield from process.rest()
            return


def _shown(outcomes: Iterable[Outcome], collected: Collected) -> Iterator[Outcome]:
    """The same, while it is shown how much is left."""
    with progress("collect", "answers", collected.wanted, done=collected.known) as advance:
        for outcome in outcomes:
            yield outcome
            advance(outcome.fate != "failed")


def _check(collected: Collected, config: CollectConfig) -> None:
    if not collected.open:
        return
    reasons = ", ".join(f"{reason}: {count:,}" for reason, count in collected.reasons.most_common(3))
    stopped = f" ({GIVE_UP_AFTER} in a row got none, so it was stopped)" if collected.is_hopeless else ""
    raise Unanswered(
        f"every request must get an answer, but {collected.open:,} of {collected.wanted:,} have none{stopped}:"
        f" {reasons}; {AnswerFolder(config.out).unanswered} has the endpoint's words, and the same command goes on with"
        " them."
    )
