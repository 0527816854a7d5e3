"""What the last whole day would have been first come, first served: a tag of the registered model, and on /metrics."""

from datetime import UTC, date, datetime
from math import nan

from prometheus_client import Gauge
from pydantic import BaseModel, ConfigDict, FiniteFloat, NonNegativeInt, PositiveFloat, ValidationError

FCFS_RATIO = Gauge(
    "pars_yesterday_fcfs_ratio",
    "Seconds per token that the last day which `-e yesterday` has looked at would have taken first come, first served,"
    " as a multiple of those in the order that was served, both simulated; 1 is no gain. NaN where there is none, or"
    " where the simulation is not near what was measured.",
    ["target_llm"],
    multiprocess_mode="livemostrecent",
)
FCFS_RATIO_LOW = Gauge(
    "pars_yesterday_fcfs_ratio_low",
    "Where the 95 % interval of pars_yesterday_fcfs_ratio begins.",
    ["target_llm"],
    multiprocess_mode="livemostrecent",
)
DAY = Gauge(
    "pars_yesterday_day_seconds",
    "When that day began, in seconds since 1970; NaN where there is none.",
    ["target_llm"],
    multiprocess_mode="livemostrecent",
)
SIMULATED_OVER_MEASURED = Gauge(
    "pars_yesterday_simulated_over_measured",
    "Seconds per token of that day as simulated ÷ as measured, in the order that was served: how near it is.",
    ["target_llm"],
    multiprocess_mode="livemostrecent",
)


class Yesterday(BaseModel):
    """Of one day; as a tag it is JSON."""

    model_config = ConfigDict(frozen=True)

    day: date
    """In UTC."""
    fcfs_ratio: PositiveFloat
    """First come, first served ÷ the order that was served, of mean seconds per token."""
    fcfs_ratio_low: FiniteFloat
    fcfs_ratio_high: FiniteFloat
    simulated_over_measured: PositiveFloat
    is_near: bool
    """Whether the simulation is near what was measured."""
    waiting_share: FiniteFloat
    """Of the requests, that find the engine full."""
    requests: NonNegativeInt

    @property
    def metrics(self) -> dict[str, float]:
        """By the names that MLflow knows."""
        return {name: float(value) for name, value in self.model_dump(exclude={"day"}).items()}

    @classmethod
    def of_tag(cls, text: str | None) -> "Yesterday | None":
        """What a tag says; None if there is none, or it is torn."""
        try:
            return None if text is None else cls.model_validate_json(text)
        except ValidationError:
            return None


def show_yesterday(target_llm: str, tag: str | None) -> None:
    """Show what the tag of a target LLM's registered model says."""
    said = Yesterday.of_tag(tag)
    is_told = said is not None and said.is_near
    FCFS_RATIO.labels(target_llm).set(said.fcfs_ratio if said and is_told else nan)
    FCFS_RATIO_LOW.labels(target_llm).set(said.fcfs_ratio_low if said and is_told else nan)
    DAY.labels(target_llm).set(_begins_s(said.day) if said else nan)
    SIMULATED_OVER_MEASURED.labels(target_llm).set(said.simulated_over_measured if said else nan)


def _begins_s(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
