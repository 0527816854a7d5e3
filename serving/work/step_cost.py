"""What a step of an engine costs, and what a request costs before it gets there: measured, and kept as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from importlib.resources import files
from json import dumps, loads
from math import isfinite
from pathlib import Path
from typing import Self

from registry.errors import InvalidInput

COST_FILE = "step_cost.json"
READY_MADE = "costs"
"""Folder of this package with measured coefficients, by name."""


@dataclass(frozen=True, kw_only=True)
class StepCost:
    """Seconds of one step (see `step_s`), and of what is around it."""

    fixed_s: float
    """Of any step."""
    per_token_s: float
    """Of each token that a step computes: of prompts, and one for each sequence that decodes."""
    per_sequence_s: float
    """Of each sequence in a step."""
    per_context_token_s: float = 0.0
    """Of each token in context of all sequences of a step: the KV cache that attention reads."""
    per_longest_token_s: float = 0.0
    """Of each token in context of the longest sequence of a step, for which all others wait: what grouping replicas by
    length gains from (L4, arXiv 2512.19179)."""
    intake_s: float = 0.0
    """To take one request in (parse, tokenize); those that wait are taken in together."""
    handing_on_s: float = 0.0
    """To hand one request on to the engine or the ranker, one after the other."""
    transit_s: float = 0.0
    """Of each request's way to the engine and its tokens' way back, simulated before the engine; the ways of many
    requests go on at once."""
    instant_s: float = 0.0002
    """For how long the event loop is busy with the instant place of one request, which it finds before it goes on."""
    ranking_s: float = 0.0
    """To rank one prompt by the encoder when nothing else goes on: how much later its request gets to the engine."""
    scoring_s: float = 0.0
    """For how long the encoder is busy with each prompt while the engine works; it scores one after the other."""
    relative_error: float = 0.0
    """Median of |simulated - measured| / measured over the end-to-end times of the sweep."""
    measured_on: str = ""
    """Which model on which machine, and how."""

    def __post_init__(self) -> None:
        """Refuse what no engine costs."""
        for name in (*COEFFICIENTS, "relative_error"):
            value = getattr(self, name)
            if not (isfinite(value) and value >= 0):
                raise InvalidInput(f"{name} of a step cost must be at least 0 seconds, but got {value}.")
        if self.fixed_s + self.per_token_s + self.per_sequence_s <= 0:
            raise InvalidInput("a step must cost time, but fixed_s, per_token_s and per_sequence_s are all 0.")
        if self.ranking_s > 0 and self.scoring_s == 0:
            raise InvalidInput(f"scoring_s must be above 0 where ranking_s ({self.ranking_s}) is, but got 0.")

    def step_s(self, tokens: int, contexts: Sequence[int]) -> float:
        """Seconds of a step that computes so many tokens, after which the sequences have so many in context each."""
        return (
            self.fixed_s
            + self.per_token_s * tokens
            + self.per_sequence_s * len(contexts)
            + self.per_context_token_s * sum(contexts)
            + self.per_longest_token_s * max(contexts)
        )

    @property
    def sentence(self) -> str:
        """The formula, for people."""
        return (
            f"A step costs {_ms(self.fixed_s)} + {_ms(self.per_token_s)} a token + {_ms(self.per_sequence_s)} a"
            f" sequence + {_ms(self.per_context_token_s)} a token in context + {_ms(self.per_longest_token_s)} a token"
            f" of the longest context; a request takes {_ms(self.intake_s)} to be taken in, {_ms(self.handing_on_s)} to"
            f" be handed on, {_ms(self.instant_s)} to be placed by the instant tier, {_ms(self.ranking_s)} by the"
            f" encoder (busy for {_ms(self.scoring_s)}) and {_ms(self.transit_s)} on its way"
            f" ({self.measured_on or 'not measured'})."
        )

    def write(self, folder: Path) -> Path:
        """Write `step_cost.json` into the folder and return its path."""
        path = folder / COST_FILE
        path.write_text(dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        return path

    @classmethod
    def read(cls, text: str) -> Self:
        """Ready-made coefficients by their name, or a file that `measure-engine` wrote.

        `NAME,COEFFICIENT=SECONDS,...` reads it with other values of some coefficients, and says that they are assumed.

        Raises:
            InvalidInput: neither; the message lists the names. Or no such coefficient, or no number of seconds.
        """
        name_or_path, *changes = [text] if Path(text).is_file() else text.split(",")
        try:
            measured = cls(**loads(_find(name_or_path.strip())))
        except (TypeError, ValueError) as error:
            raise InvalidInput(
                f"{name_or_path} must be a step cost as measure-engine writes it, but is not: {error}."
            ) from None
        return measured.assuming(dict(_assumed(one) for one in changes)) if changes else measured

    def assuming(self, coefficients: Mapping[str, float]) -> Self:
        """The same with other coefficients, which nobody measured."""
        named = ", ".join(f"{name} of {seconds:g}" for name, seconds in coefficients.items())
        measured_on = f"{self.measured_on or 'not measured'}; assumed: {named}"
        return replace(self, **coefficients, measured_on=measured_on)


COEFFICIENTS = tuple(one.name for one in fields(StepCost) if one.name.endswith("_s"))
"""All in seconds."""


def _assumed(text: str) -> tuple[str, float]:
    name, _, value = (part.strip() for part in text.partition("="))
    if name not in COEFFICIENTS:
        raise InvalidInput(
            f"a coefficient of a step cost must be one of {', '.join(COEFFICIENTS)}, but got {name!r}; give"
            " NAME_OR_FILE,COEFFICIENT=SECONDS."
        )
    try:
        return name, float(value)
    except ValueError:
        raise InvalidInput(f"{name} of a step cost must be a number of seconds, but got {value!r}.") from None


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms"


def ready_made() -> list[str]:
    """Names of the measured coefficients in this package."""
    folder = files("serving.work") / READY_MADE
    return sorted(one.name.removesuffix(".json") for one in folder.iterdir() if one.name.endswith(".json"))


def _find(name_or_path: str) -> str:
    if name_or_path in ready_made():
        return (files("serving.work") / READY_MADE / f"{name_or_path}.json").read_text(encoding="utf-8")
    path = Path(name_or_path)
    if not path.is_file():
        raise InvalidInput(
            f"a step cost must be one of {', '.join(ready_made())}, or a file that measure-engine wrote, but got"
            f" {name_or_path!r}."
        )
    return path.read_text(encoding="utf-8")
