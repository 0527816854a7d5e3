"""Which day of a journal is looked at."""

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from loop.yesterday.journal_batches import journal_batches
from registry.errors import InvalidInput

DAY_S = 86_400


def choose_day(journal: Path, target_llm: str, asked: date | None, now_s: float) -> date:
    """The day that was asked for, or the last one that is over and has requests of the target LLM; in UTC.

    Args:
        journal: its folder.
        target_llm: as the journal names it.
        asked: a day, its requests so far if it is today.
        now_s: seconds since 1970.

    Raises:
        InvalidInput: the journal has no such day.
    """
    models, days = _seen(journal, target_llm)
    if not days:
        raise InvalidInput(
            f"{journal} must hold requests to {target_llm!r}, but those with an arrival are to"
            f" {', '.join(map(repr, sorted(models))) or 'none'}; name one of them, or give the folder of"
            " PARS_JOURNAL_DIR."
        )
    today = int(now_s // DAY_S)
    if asked is not None:
        return _asked(asked, days, target_llm)
    over = [day for day in days if day < today]
    if not over:
        raise InvalidInput(
            f"no day of the journal is over yet: its requests to {target_llm!r} begin on {_as_date(min(days))} (UTC);"
            f" give day={_as_date(max(days))} to look at what there is of it."
        )
    return _as_date(max(over))


def bounds_s(day: date) -> tuple[float, float]:
    """When a day begins and ends, in seconds since 1970."""
    begins_s = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
    return begins_s, begins_s + DAY_S


def _asked(asked: date, days: Counter[int], target_llm: str) -> date:
    if days[int(bounds_s(asked)[0] // DAY_S)]:
        return asked
    raise InvalidInput(
        f"the journal has no request to {target_llm!r} on {asked} (UTC), but {sum(days.values()):,} from"
        f" {_as_date(min(days))} to {_as_date(max(days))}; give one of these days."
    )


def _seen(journal: Path, target_llm: str) -> tuple[set[str], Counter[int]]:
    """The target LLMs of the journal, and on which days (since 1970) how many requests to this one came."""
    models: set[str] = set()
    days: Counter[int] = Counter()
    for rows in journal_batches(journal, ("arrival_s", "model")):
        timed = rows.filter(pc.is_finite(rows["arrival_s"]))
        models |= {name for name in timed["model"].unique().to_pylist() if name is not None}
        own = timed.filter(pc.equal(timed["model"], target_llm))
        counts = pc.floor(pc.divide(own["arrival_s"], float(DAY_S))).cast(pa.int64()).value_counts()
        days.update({one["values"].as_py(): one["counts"].as_py() for one in counts})
    return models, days


def _as_date(day: int) -> date:
    return datetime.fromtimestamp(day * DAY_S, UTC).date()
