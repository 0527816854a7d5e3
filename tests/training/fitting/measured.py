"""What the measurements of this folder share: a training on part of a log, and a printed row a ranker."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

from registry.order.certain_pairs import Values
from traffic.labelled_prompts import LabelledPrompts
from training.config import TrainingConfig
from training.judging.ranking_metrics import order_metrics


def settings(says: str | None, prompts: int, **others: int) -> tuple[TrainingConfig, range]:
    """From the command line LOG LENGTH_COLUMN [SEEDS] [--prompts N]: two passes over the prompts; and the seeds."""
    parser = ArgumentParser(description=says, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("log", type=Path)
    parser.add_argument("length_column")
    parser.add_argument("seeds", type=int, nargs="?", default=1)
    parser.add_argument("--prompts", type=int, default=prompts, help="that train, at most")
    given = parser.parse_args()
    config = TrainingConfig(
        lengths=given.log,
        length_column=given.length_column,
        target_llm="tried",
        epochs=2,
        features="off",
        max_prompts=given.prompts,
        **others,
    )
    return config, range(given.seeds)


def print_row(*names: object, scores: Values, test: LabelledPrompts) -> None:
    """Whose scores they are, tau-b, and both static gains."""
    metrics = order_metrics(scores, test.output_tokens, test.is_censored)
    print(*names, *(f"{one:.4f}" for one in metrics.values()), sep="\t", flush=True)  # noqa: T201
