"""What a replay leaves in MLflow and on the terminal."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
import pandas as pd

from benchmarks import plots, results
from benchmarks.endpoint import RankingWork
from benchmarks.low_load import LowLoad

PLOT_FILE = "latency.png"
FAIL_OPEN_LIMIT = 0.01
NOTE = (
    "Recorded lengths were imposed with ignore_eos and max_tokens, and PARS_CAP_BY_MAX_TOKENS was off, since the cap"
    " would leak them into the order. s/token: mean over requests of end-to-end seconds / output tokens."
)


@dataclass(frozen=True)
class Replayed:
    """All that was measured."""

    answers: pd.DataFrame
    table: pd.DataFrame
    work: RankingWork
    quiet: LowLoad | None

    def text(self) -> str:
        """The table and what a reader must know with it."""
        share = self.work.fail_open_share
        lines = [results.as_text(self.table), "", NOTE]
        lines.append(
            f"Ranked {self.work.ranked:.0f} requests; {share:.1%} failed open (went on with the median length)"
            + (": MORE THAN 1 %, so this table understates what ranking brings." if share > FAIL_OPEN_LIMIT else ".")
        )
        lines.append(
            f"Scoring took {self.work.scoring_ms:.1f} ms a prompt beside the engine; a request was held for its ranking"
            f" for {self.work.held_ms:.0f} ms on average."
        )
        if self.quiet:
            lines.append(
                f"Low load (one request at a time, {self.quiet.requests} pairs): median time to first token"
                f" {self.quiet.ranked_ttft_ms:.1f} ms ranked, {self.quiet.unranked_ttft_ms:.1f} ms not ranked,"
                f" ranking adds {self.quiet.ranking_delay_ms:.1f} ms."
            )
        return "\n".join(lines)


def log(replayed: Replayed) -> str:
    """Log metrics, table, answers and plot to the active run; return the report and the plot's path as text."""
    _log_metrics(replayed)
    mlflow.log_table(replayed.table.reset_index(), "table.json")
    mlflow.log_text(replayed.text(), "report.txt")
    mlflow.set_tag("mlflow.note.content", f"```\n{replayed.text()}\n```")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "answers.parquet"
        replayed.answers.to_parquet(path)
        mlflow.log_artifact(str(path))
    mlflow.log_figure(plots.latency(replayed.answers, replayed.table), PLOT_FILE, save_kwargs={"dpi": 150})
    plot = mlflow.artifacts.download_artifacts(mlflow.get_artifact_uri(PLOT_FILE))
    return f"{replayed.text()}\nPlot: {plot}"


def _log_metrics(replayed: Replayed) -> None:
    metrics = {f"{policy}.{name}": value for policy, row in replayed.table.iterrows() for name, value in row.items()}
    for name in ("fail_open_share", "scoring_ms", "held_ms"):
        metrics[name] = getattr(replayed.work, name)
    if replayed.quiet:
        metrics["low_load.ranking_delay_ms"] = replayed.quiet.ranking_delay_ms
        metrics["low_load.ranked_ttft_ms"] = replayed.quiet.ranked_ttft_ms
        metrics["low_load.unranked_ttft_ms"] = replayed.quiet.unranked_ttft_ms
    mlflow.log_metrics(metrics)
