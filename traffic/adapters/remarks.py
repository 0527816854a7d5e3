"""What adapters remark beside requests: sentences for the user, and records that are none of their source's."""

from collections import Counter
from collections.abc import Iterator

from traffic.rows.bad_rows import BadRow, BadRows
from traffic.rows.record import Record

SHOWN_KEYS = 8
KEY_CHARACTERS = 40


class Misfit(Exception):
    """A record that has not the form which its source gives to records."""


class Remarks:
    """Of one source in one reading."""

    def __init__(self, source: str) -> None:
        self.counts: Counter[str] = Counter()
        """Sentences with a `{count}` in them, and of how many records each is true."""
        self.misfits = BadRows(1.0)
        """Records that are left out, whatever their share."""
        self._source = source
        self._told: list[str] = []

    def tell(self, sentence: str) -> None:
        """Have a sentence said as it is."""
        self._told.append(sentence)

    def add_misfit(self, record: Record, held: str | None = None) -> None:
        """Count a record, of which only the keys are shown, or what it `held`: its values are somebody's prompts."""
        held = held or _keys(record)
        rule = f"a record must have the form that {self._source} gives it"
        self.misfits.add(BadRow(record.place, rule, f"has {held}", held))

    def notes(self) -> Iterator[str]:
        """All that a user should know."""
        yield from self._told
        for sentence, count in self.counts.items():
            if count:
                yield sentence.format(count=f"{count:,}")
        if self.misfits.count:
            yield self.misfits.note()


def _keys(record: Record) -> str:
    keys = [repr(str(key)[:KEY_CHARACTERS]) for key in record.values]
    more = f" and {len(keys) - SHOWN_KEYS} more" if len(keys) > SHOWN_KEYS else ""
    return f"the keys {', '.join(keys[:SHOWN_KEYS])}{more}" if keys else "no keys"
