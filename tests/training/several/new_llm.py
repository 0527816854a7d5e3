"""What answers of other LLMs bring to a new one: with none of its own, with 50, with 200, and with all there are.

`python -m tests.training.several.new_llm LOG START [THIRDS]`: LOG is in long form (`prompt`, `model`,
`response_tokens`; alpaca_eval), START the ranker that each training begins from (`models:/NAME/VERSION`). The prompts
are split in three, and on each third of THIRDS (`0,1,2`) is tested what trained on the other two, with its number as
the seed. Nobody's answers to test prompts are trained on, and relatives of a new LLM, which a user would not have, are
left out of the others.

Rows: `start` is START; `others` the mean of the heads of all other LLMs, trained together; `alone` is START fitted
to the new LLM's answers; `others, then alone` is `others` fitted to them; `together` one training with a head for each,
the new ones among them.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from safetensors.torch import save_model
from tokenizers import Tokenizer

from registry.artefact.files import WEIGHTS_FILE
from traffic.labelled_prompts import LabelledPrompts
from traffic.split import hash_of
from training.config import TrainingConfig
from training.fitting.fit import fit, fit_examples
from training.fitting.warm_start import with_fetched_start
from training.judging.ranking_metrics import KENDALL_TAU_B, order_metrics
from training.network.encoder import RankerNetwork, load_network, load_tokenizer, load_weights
from training.network.examples import joined
from training.network.network_scores import network_scores

THIRDS = 3
NEW = ("gpt4", "Meta-Llama-3.1-8B-Instruct-Turbo")
RELATIVES = ("gpt4", "gpt-4", "gpt_4", "llama-3")
"""What stands in the names of their relatives, in lower case."""
ANSWERS = (50, 200, None)
LEAST_OTHERS = 700
"""Answers of another LLM at least: those with few are tries of a new judge."""


def main(log: Path, start: str, thirds: Iterable[int]) -> None:
    """Print tau-b of each third as it is known, and the means with the least and the greatest at the end."""
    config = with_fetched_start(
        TrainingConfig(lengths=log, target_llm="new", init_from=start, learning_rate=1e-4, features="off")
    )
    rows = []
    for fold in thirds:
        for row in tested(config.with_values({"seed": fold}), pd.read_parquet(log), fold):
            print(fold, *row, sep="\t", flush=True)  # noqa: T201
            rows.append((fold, *row))
    table = pd.DataFrame(rows, columns=["fold", "route", "answers", "new", "tau"])
    print(table.groupby(["new", "answers", "route"], sort=False).tau.agg(["mean", "min", "max"]).round(3))  # noqa: T201


def tested(config: TrainingConfig, log: pd.DataFrame, fold: int) -> Iterator[tuple[str, int, str, float]]:
    """Route, answers of the new LLM, its name, and tau-b on this third."""
    lengths = log.pivot_table(index="prompt", columns="model", values="response_tokens")
    lengths = lengths.loc[sorted(lengths.index, key=lambda prompt: hash_of(prompt, config.seed))]
    third = np.array([hash_of(prompt, 0) % THIRDS for prompt in lengths.index])
    train, test = lengths[third != fold], lengths[third == fold]
    known = {name: labelled(train[name]) for name in lengths if lengths[name].count() >= LEAST_OTHERS}
    others = {name: one for name, one in known.items() if not any(word in name.lower() for word in RELATIVES)}
    print(f"third {fold}: {len(train)} prompts, {len(others)} other LLMs", file=sys.stderr)  # noqa: T201

    def tau(network: RankerNetwork, name: str, head: int | None = None) -> float:
        part = labelled(test[name])
        scores = network_scores(config, network, load_tokenizer(config.encoder), part.views)
        one = scores if scores.ndim == 1 else scores.mean(1) if head is None else scores[:, head]
        return order_metrics(one, part.output_tokens, part.is_censored)[KENDALL_TAU_B]

    start = load_network(config.encoder, config.max_tokens)
    load_weights(start, Path(config.init_from or "") / WEIGHTS_FILE)
    for name in NEW:
        yield "start", 0, name, tau(start.eval(), name)
    with TemporaryDirectory() as folder:
        trained, _ = together(config, others)
        save_model(trained, str(Path(folder) / WEIGHTS_FILE))
        taught = config.with_values({"init_from": folder})
        for name in NEW:
            yield "others", 0, name, tau(trained, name)
        for answers in ANSWERS:
            few = {name: known[name].first(answers) for name in NEW}
            both, _ = together(config, others | few)
            for head, (name, part) in enumerate(few.items(), start=len(others)):
                alone, _ = fit(config, part, part.first(100))
                after, _ = fit(taught, part, part.first(100))
                yield "alone", len(part), name, tau(alone, name)
                yield "others, then alone", len(part), name, tau(after, name)
                yield "together", len(part), name, tau(both, name, head)


def together(config: TrainingConfig, parts: dict[str, LabelledPrompts]) -> tuple[RankerNetwork, Tokenizer]:
    """One encoder with a head for each."""
    return fit_examples(config, joined(parts), joined({name: one.first(100) for name, one in parts.items()}))


def labelled(lengths: "pd.Series[float]") -> LabelledPrompts:
    """Of one LLM, what it has answered."""
    own = lengths.dropna()
    return LabelledPrompts.of([*own.index], own.to_numpy(dtype=np.float64), np.zeros(len(own), dtype=np.bool_))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], map(int, sys.argv[3].split(",")) if sys.argv[3:] else range(THIRDS))
