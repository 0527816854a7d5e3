"""Requests whose answers are as long as their words say, and rankers that know the words more or less well."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mlflow
import numpy as np

from registry import store
from tests.rankers import write_ranker

_TEXT = (
    "river house bread music garden window letter market doctor winter summer bridge forest island mother father school"
    " church castle flower animal orange yellow silver golden button ticket engine planet rocket camera guitar violin"
    " hammer needle pencil pocket mirror carpet kettle"
)
_OTHER_TEXT = (
    "battle prison murder police lawyer senate treaty voting empire colony border tariff export import budget salary"
    " profit credit deficit"
)
WORDS, OTHER_WORDS = tuple(_TEXT.split()), tuple(_OTHER_TEXT.split())
"""Each is one word piece; another tenant writes about the others."""
WORDS_A_PROMPT = 12
NOISE_LOG_TOKENS = 0.8
"""Of answers to the same words: a ranker that knows all of them has a tau-b of 0.57."""
DAY_S = 86_400.0


def true_weights(words: Sequence[str] = (*WORDS, *OTHER_WORDS)) -> dict[str, float]:
    """What each word adds to the score, of which ten are a log token."""
    drawn = np.random.default_rng(1).uniform(0, 10, len(words))
    return dict(zip(words, drawn.tolist(), strict=True))


def known(noise: float, seed: int, words: Sequence[str] = (*WORDS, *OTHER_WORDS)) -> dict[str, float]:
    """The weights as a training of this seed finds them."""
    drawn = np.random.default_rng([seed, 2]).normal(0, noise, len(words))
    return {word: weight + float(off) for (word, weight), off in zip(true_weights().items(), drawn, strict=False)}


def rows(number: int, start_s: float, seed: int = 0, last_s: float = DAY_S, **columns: Any) -> list[dict[str, Any]]:
    """Requests within a day."""
    rng = np.random.default_rng([seed, 3])
    words = columns.pop("words", WORDS)
    weights = true_weights()
    found = []
    for arrival_s in np.sort(rng.uniform(start_s, start_s + last_s, number)).tolist():
        chosen = rng.choice(words, WORDS_A_PROMPT).tolist()
        log_tokens = sum(weights[word] for word in chosen) / 10 + rng.normal(0, NOISE_LOG_TOKENS)
        tokens = max(1, round(float(np.exp(log_tokens))))
        found.append(
            {
                "request_id": f"{seed}-{len(found)}",
                "arrival_s": arrival_s,
                "model": "demo-llm",
                "prompt": " ".join(chosen),
                "prompt_tokens": WORDS_A_PROMPT + 2,
                "output_tokens": tokens,
                "ending": "ended",
                **columns,
            }
        )
    return found


def written(path: Path, several: Sequence[Mapping[str, Any]]) -> Path:
    """A log of them."""
    path.write_text("".join(json.dumps(one) + "\n" for one in several))
    return path


def registered(
    folder: Path,
    weights: Mapping[str, float],
    target_llm: str = "demo-llm",
    params: Mapping[str, str] | None = None,
    **changes: Any,
) -> int:
    """Register a ranker that knows these words; its instant tier says the same."""
    changes = {"instant_weight": 1.0, "metrics": {"kendall_tau_b": 0.57}} | changes
    number = len(list(folder.glob("ranker*")))
    made = write_ranker(folder / f"ranker{number}", target_llm, weight=0.0, word_weights=weights, **changes)
    with mlflow.start_run():
        mlflow.log_params(dict(params or {}))
        return store.register(made)
