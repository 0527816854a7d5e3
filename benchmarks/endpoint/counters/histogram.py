"""A Prometheus histogram between two readings of a metrics page, and its quantiles. Pure."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from registry.errors import InvalidInput


@dataclass(frozen=True)
class Histogram:
    """Cumulative counts at rising limits; the last limit is infinite."""

    limits: tuple[float, ...]
    counts: tuple[float, ...]

    @classmethod
    def read(cls, page: str, name: str, **labels: str) -> "Histogram":
        """One of a metrics page, all its label sets with these labels added up.

        Raises:
            InvalidInput: the page has none of this name.
        """
        counts: dict[float, float] = {}
        for limit, count in _buckets(page, f"{name}_bucket", labels):
            counts[limit] = counts.get(limit, 0) + count
        if not counts:
            raise InvalidInput(f"the metrics page must have the histogram {name}, but has none; is ranking on?")
        limits = tuple(sorted(counts))
        return cls(limits, tuple(counts[limit] for limit in limits))

    def __sub__(self, before: "Histogram") -> "Histogram":
        assert self.limits == before.limits, "the same metric"
        return Histogram(self.limits, tuple(now - then for now, then in zip(self.counts, before.counts, strict=True)))

    @property
    def total(self) -> float:
        """How many values there are."""
        return self.counts[-1]

    def quantile(self, share: float) -> float:
        """The value below which this share lies, interpolated in its bucket; in the last one its lower limit.

        Raises:
            InvalidInput: there are no values.
        """
        if self.total <= 0:
            raise InvalidInput("a quantile needs values, but the histogram has none; was anything ranked?")
        index = bisect_left(self.counts, share * self.total)
        low, high = (0.0, *self.limits)[index : index + 2]
        below = self.counts[index - 1] if index else 0.0
        if high == float("inf"):
            return low
        return low + (high - low) * (share * self.total - below) / (self.counts[index] - below)


def _buckets(page: str, name: str, labels: Mapping[str, str]) -> Iterable[tuple[float, float]]:
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                yield float(sample.labels["le"]), sample.value
