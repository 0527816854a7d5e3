"""What a reading understood, counted row by row, and said in sentences."""

from collections import Counter
from collections.abc import Iterator, Mapping

from traffic.cells.conversations import Prompt
from traffic.cells.endings import ReadEnding
from traffic.cells.times import SECONDS, Arrival
from traffic.notes.keyed_prompts import keyed_note
from traffic.notes.length_spike import length_spike

SHOWN = 10
MOST_WORDS = 1000
"""Different words that are kept: a column of free text would have as many as rows."""


class Tally:
    """Counters of one reading."""

    def __init__(self) -> None:
        self.answers_in_messages = 0
        self.keyed_prompts = 0
        self.messages_as_text = 0
        self.uncounted_answers = 0
        self.other_columns: Counter[str] = Counter()
        self._unknown_words: Counter[str] = Counter()
        self._forms: Counter[str] = Counter()
        self._unexplained: Counter[int] = Counter()
        self._explained = 0

    def see_prompt(self, prompt: Prompt) -> None:
        """Count how a prompt stood in its cell."""
        self.answers_in_messages += prompt.held_answer
        self.messages_as_text += prompt.was_text

    def see_digest(self, digest: object, prompt: Prompt) -> None:
        """Count a prompt of which a journal has kept a keyed digest alone."""
        self.keyed_prompts += isinstance(digest, str) and prompt.text is None

    def see_ending(self, ending: ReadEnding, output_tokens: int | None) -> None:
        """Count what is known of how an answer ended."""
        self._explained += ending.is_said
        if ending.unknown_word is not None and len(self._unknown_words) < MOST_WORDS:
            self._unknown_words[ending.unknown_word] += 1
        if output_tokens and not ending.is_said:
            self._unexplained[output_tokens] += 1

    def see_endings(self, said: int, unexplained: Mapping[int, int]) -> None:
        """Count answers of which something known is said of how they ended, and the others by their lengths."""
        self._explained += said
        self._unexplained.update(unexplained)

    def see_other_column(self, name: str, rows: int) -> None:
        """Count rows whose lengths stood in a column that nobody chose."""
        if rows:
            self.other_columns[name] += rows

    def see_arrivals(self, form: str, rows: int) -> None:
        """Count times of one form."""
        self._forms[form] += rows

    def see_arrival(self, arrival: Arrival | None) -> None:
        """Count the form of a time."""
        if arrival is not None:
            self._forms[arrival.form] += 1

    def notes(self) -> Iterator[str]:
        """All that a user should know."""
        for column, rows in sorted(self.other_columns.items()):
            yield f"Lengths of {rows:,} rows were read from the column {column!r}."
        if self.messages_as_text:
            yield f"Messages of {self.messages_as_text:,} rows were text and have been parsed."
        if self.answers_in_messages:
            yield (
                f"Messages of {self.answers_in_messages:,} rows end with turns of the assistant: these are the answer,"
                " and no part of the prompt."
            )
        if self.uncounted_answers:
            yield (
                f"{self.uncounted_answers:,} rows hold an answer's text but not its length; give"
                " tokenizer=FILE of the target LLM to count its tokens."
            )
        if self.keyed_prompts:
            yield keyed_note(self.keyed_prompts)
        yield from self._notes_on_endings()
        yield from self._notes_on_arrivals()

    def _notes_on_endings(self) -> Iterator[str]:
        if self._unknown_words:
            most = ", ".join(f"{word[:40]!r} ({rows:,})" for word, rows in self._unknown_words.most_common(SHOWN))
            yield (
                f"Finish reasons of {self._unknown_words.total():,} rows are unknown and count as ended: {most};"
                " if one of them means that an answer was cut, write 'length' instead."
            )
        is_explained = self._explained > self._unexplained.total()
        spike = None if is_explained else length_spike(self._unexplained)
        if spike is not None:
            tokens, rows = spike
            yield (
                f"{rows:,} answers have exactly {tokens:,} tokens and no finish reason: most likely a limit cut them;"
                " give the column finish_reason, so that they are not taken for complete."
            )

    def _notes_on_arrivals(self) -> Iterator[str]:
        forms = [form for form in self._forms if form != SECONDS]
        if not forms:
            return
        if len(self._forms) == 1:
            yield f"Arrivals are {forms[0]}."
        else:
            each = ", ".join(f"{form} ({rows:,})" for form, rows in _most_first(self._forms))
            yield f"Arrivals come in several forms, each read as what it is: {each}."


def _most_first(counts: Counter[str]) -> list[tuple[str, int]]:
    """In an order that does not depend on which was seen first."""
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))
