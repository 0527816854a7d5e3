"""One record as a row: the meaning of its cells, judged one by one."""

from typing import Any

from tokenizers import Tokenizer

from traffic.cells.amounts import amount_of
from traffic.cells.answer_tokens import count_tokens
from traffic.cells.conversations import MESSAGES, NOTHING, Prompt, prompt_of
from traffic.cells.counts import tokens_of
from traffic.cells.endings import ending_of
from traffic.cells.names import name_of, whole_characters
from traffic.cells.params import params_in
from traffic.cells.times import arrival_of
from traffic.notes.tally import Tally
from traffic.rows.record import Values
from traffic.rows.row import Row
from traffic.rows.rules import AMOUNT_COLUMNS, ENDING_COLUMNS, LENGTH_COLUMNS, NAME_COLUMNS, PROMPT_KEY, Columns


class RowMaker:
    """Makes rows of records, and counts what it understood."""

    def __init__(self, tokenizer: Tokenizer | None = None) -> None:
        self.tally = Tally()
        self._tokenizer = tokenizer

    def row(self, values: Values, columns: Columns, model: str | None) -> Row:
        """The row of a record that is of this model.

        Raises:
            BadCell: one of its cells cannot be used.
        """
        prompt = _prompt(values, columns.prompt, columns.has_messages) if columns.prompt else NOTHING
        output_tokens = self._output_tokens(values, columns, prompt)
        ending = ending_of(next((values[name] for name in ENDING_COLUMNS if values.get(name) is not None), None))
        self.tally.see_prompt(prompt)
        if columns.prompt:
            self.tally.see_digest(values.get(PROMPT_KEY), prompt)
        self.tally.see_ending(ending, output_tokens)
        row = Row(
            text=prompt.text,
            output_tokens=output_tokens,
            ending=ending.ending,
            model=model,
            group=name_of(values.get(columns.group)) if columns.group else None,
            arrival_s=self._arrival_s(values, columns, bool(output_tokens)) if columns.arrival else None,
            prompt_tokens=tokens_of(values.get(columns.prompt_tokens), columns.prompt_tokens)
            if columns.prompt_tokens
            else None,
            params=params_in(values) if columns.has_params else None,
            messages=prompt.messages,
            is_ending_said=ending.is_said,
        )
        return row._replace(**_details(values)) if columns.has_details else row

    def _output_tokens(self, values: Values, columns: Columns, prompt: Prompt) -> int | None:
        if columns.length is None:
            return None
        tokens = tokens_of(values.get(columns.length), columns.length)
        if tokens is None and columns.length == LENGTH_COLUMNS[0]:
            tokens = self._of_other_column(values)
        answer = prompt.answer or (columns.answer and values.get(columns.answer))
        if tokens is not None or not answer:
            return tokens
        if self._tokenizer is None:
            self.tally.uncounted_answers += 1
            return None
        return count_tokens(self._tokenizer, whole_characters(str(answer)))

    def _of_other_column(self, values: Values) -> int | None:
        for name in LENGTH_COLUMNS[1:]:
            if name in values and (tokens := tokens_of(values[name], name)) is not None:
                self.tally.other_columns[name] += 1
                return tokens
        return None

    def _arrival_s(self, values: Values, columns: Columns, is_answered: bool) -> float | None:
        assert columns.arrival is not None
        is_needed = columns.needs_arrival and (is_answered or not columns.length)
        arrival = arrival_of(values.get(columns.arrival), columns.arrival, is_needed)
        self.tally.see_arrival(arrival)
        return None if arrival is None else arrival.seconds


def _prompt(values: Values, column: str, with_messages: bool) -> Prompt:
    """The prompt of its column, or of the chat beside it where that is empty or, being text, holds a chat itself.

    Of a chat whose only turn quotes another chat, the text alone would be taken for what it quotes.
    """
    prompt = prompt_of(values.get(column), column)
    if column == MESSAGES or values.get(MESSAGES) is None:
        return prompt
    if prompt is not NOTHING and not prompt.was_text and not with_messages:
        return prompt
    beside = prompt_of(values[MESSAGES], MESSAGES)
    if prompt is NOTHING or (prompt.was_text and beside.text is not None):
        return beside
    return prompt._replace(messages=beside.messages)


def _details(values: Values) -> dict[str, Any]:
    names = {name: name_of(values.get(name)) for name in NAME_COLUMNS}
    amounts = {name: amount_of(values.get(name), name) for name in AMOUNT_COLUMNS}
    reasoning_tokens = tokens_of(values.get("reasoning_tokens"), "reasoning_tokens")
    return {**names, **amounts, "reasoning_tokens": reasoning_tokens}
