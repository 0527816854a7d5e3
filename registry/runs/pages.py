"""What MLflow's pages say of a ranker and of a registered model, in Markdown; the important figure comes first."""

import shlex
from collections.abc import Iterable, Mapping, Sequence

import mlflow

from registry.artefact.card import RankerCard
from registry.tracking import NOTE_TAG

FIGURES = {
    "kendall_tau_b": "Kendall tau-b",
    "pair_accuracy": "pair accuracy",
    "static_gain_s_per_token": "static gain, s/token",
    "static_gain_e2e": "static gain, end-to-end",
}
"""Metrics of a card -> what they are called in a table. MLflow lists metrics as it likes."""
ALIASES = (
    ("`champion`", "is served: running servers take it within seconds, also where it is moved by hand on this page"),
    ("`challenger`", "is proposed, by the last training"),
    ("`previous_champion`", "a rollback brings back"),
)
LISTED = ("kendall_tau_b", "instant_kendall_tau_b", "pair_accuracy", "static_gain_s_per_token", "test_prompts")
"""Metrics that are tags of a version: MLflow's list of versions shows all tags of each."""
APART = "&emsp;"
"""What ends a cell of a table."""
INSTANT = "instant_"
"""What the metrics of the instant tier begin with."""


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown whose columns stand apart: MLflow's pages give cells no room of their own."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(
        "|" + "|".join(f" {cell}{APART if cell != '---' else ''} " for cell in line) + "|" for line in lines
    )


def write_pages(name: str, version: int, card: RankerCard) -> None:
    """Describe the active run, the version, and the registered model where nobody has described it."""
    page, client = ranker_page(card), mlflow.MlflowClient()
    mlflow.set_tag(NOTE_TAG, page)
    client.update_model_version(name, str(version), page)
    if not client.get_registered_model(name).description:
        client.update_registered_model(name, model_page(name, card.target_llm))


def version_tags(card: RankerCard) -> dict[str, str]:
    """What is compared in the list of versions; all other metrics are the run's and the card's."""
    figures = {name: f"{card.metrics[name]:.4g}" for name in LISTED if name in card.metrics}
    return figures | {
        "training_prompts": str(card.training_prompts),
        "encoder": card.encoder,
        "data_digest": card.data_digest,
    }


def ranker_page(card: RankerCard) -> str:
    """A ranker's figures, each tier's beside the other's, and what it has learned from."""
    rows = [row for name in FIGURES if any((row := _row(name, card.metrics))[1:])]
    learned = f"Learned from {card.training_prompts:,} prompts; starts from `{card.encoder}`."
    if not rows:
        return learned
    return "\n\n".join([_headline(card.metrics), table(("", "encoder", "instant tier"), rows), learned])


def _headline(metrics: Mapping[str, float]) -> str:
    """One line without a mark of Markdown: lists show the first words of a description as they are."""
    tested = f" on {metrics['test_prompts']:,.0f} test prompts" if "test_prompts" in metrics else ""
    tau = metrics.get("kendall_tau_b")
    return f"Tested{tested}." if tau is None else f"tau-b {tau:.3f}{tested}."


def _row(name: str, metrics: Mapping[str, float]) -> list[str]:
    return [FIGURES[name], *(_cell(f"{tier}{name}", metrics) for tier in ("", INSTANT))]


def _cell(name: str, metrics: Mapping[str, float]) -> str:
    if name not in metrics:
        return ""
    low, high = metrics.get(f"{name}_low"), metrics.get(f"{name}_high")
    interval = "" if low is None or high is None else f" ({low:.3f} to {high:.3f})"
    return f"**{metrics[name]:.3f}**{interval}"


def model_page(name: str, target_llm: str) -> str:
    """What a registered model is, which of its versions is served, and how that is changed."""
    target = f"-P target_llm={shlex.quote(target_llm)}"
    run = "mlflow run . --env-manager local -e"
    return f"""\
Rankers of the target LLM `{target_llm}`: each predicts which of its waiting requests get the shorter answers, so that
they go first. The experiment `{name}` holds the runs that trained and judged them.

{table(("alias", "the version that"), ALIASES)}

- Promote the challenger, if it passes the gate: `{run} promote {target}`
- Bring the champion before this one back: `{run} rollback {target}`
- Serve first come, first served for a while: `{run} ordering {target} -P state=off`

How the gate has decided stands in a version's description and in its tags `gate`, `gate_reason` and `gate_run`; a
champion without them passed none."""
