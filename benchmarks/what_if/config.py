"""Settings of a what-if. The command line and MLproject read their defaults from here."""

from dataclasses import dataclass

from benchmarks.what_if.served_log import ServedLogSource


@dataclass(frozen=True, kw_only=True)
class WhatIfConfig(ServedLogSource):
    """Whose traffic, on which engine, and what is tried."""

    ranker: str | None = None
    """Whose order PARS is, where the log holds prompts: `models:/NAME@ALIAS`, `models:/NAME/VERSION` or a folder; the
    truth with noise unless given."""
    tau: float = 0.6
    """Kendall tau-b of that noisy truth; what `mlflow run . -e evaluate` says of a ranker."""
    patience_s: float = 120.0
    """How much later a request may arrive and still overtake."""
    max_num_seqs: int = 256
    """Requests that the engine works on at the same time (vLLM's flag of this name)."""
    loads: tuple[float, ...] = (0.5, 0.8, 1.0, 1.2, 1.5)
    """Arrival rates to be tried, as multiples of capacity, beside the log's own."""
    taus: tuple[float, ...] = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    """Rankers to be tried, by their tau-b."""
    patiences_s: tuple[float, ...] = (5.0, 30.0, 120.0, 600.0)
    """Patiences to be tried, beside `patience_s`."""
    seqs_factors: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
    """Multiples of `max_num_seqs` to be tried."""
    max_requests: int = 10_000
    """Requests of the log that are simulated at most: the first ones."""
    sweep_requests: int = 2_000
    """Requests with which settings are tried: the busiest ones that follow each other."""
    seed: int = 0
    """Draws the noise."""

    def __post_init__(self) -> None:
        """Refuse what nothing can be learned from."""
        for name in ("max_num_seqs", "max_requests", "sweep_requests"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, but got {getattr(self, name)}.")
        for name in ("tau", "taus"):
            values = getattr(self, name)
            if any(not 0 <= tau <= 1 for tau in (values if isinstance(values, tuple) else (values,))):
                raise ValueError(f"{name} must be in [0, 1], but got {values}.")
        if self.patience_s < 0 or any(one < 0 for one in self.patiences_s):
            raise ValueError(f"a patience must be at least 0, but got {self.patience_s} and {self.patiences_s}.")
        for name in ("loads", "seqs_factors"):
            if any(not one > 0 for one in getattr(self, name)):
                raise ValueError(f"{name} must be above 0, but got {getattr(self, name)}.")
