"""Commands that ask an LLM on purpose."""

import shlex

from traffic.collect.collect import Collected, collect, write_requests
from traffic.collect.config import CollectConfig


def collect_answers(config: CollectConfig) -> str:
    """Ask, or write what is to be asked elsewhere."""
    if config.choose == "disagreement":
        from registry.tracking import configure_tracking  # MLflow, where rankers may come from

        configure_tracking()
    return _told_of_batches(config) if config.batch_out else _told(config, collect(config))


def _told(config: CollectConfig, collected: Collected) -> str:
    fates = {**collected.fates, "known before": collected.known}
    counted = ", ".join(f"{count:,} {fate}" for fate, count in fates.items() if count)
    cut = collected.fates["cut"]
    longer = f" {cut:,} answers tell only that they have more than {config.max_tokens:,} tokens." if cut else ""
    return f"{collected.wanted:,} requests are settled ({counted}).{longer} {_next_step(config.out)}"


def _told_of_batches(config: CollectConfig) -> str:
    files, requests = write_requests(config)
    assert config.batch_out is not None
    return (
        f"{requests:,} requests in {len(files)} files of {config.batch_out}. Put their results beside them."
        f" {_next_step(config.batch_out)}"
    )


def _next_step(folder: object) -> str:
    place = shlex.quote(str(folder))
    return f"Look at them: pars describe {place}. Train on them: pars train --lengths {place} --target-llm NAME"
