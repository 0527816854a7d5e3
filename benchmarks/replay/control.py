"""The control: a ranker of shuffled labels and its mirror image, each served as one more target LLM.

They know nothing, so ordering by them must gain nothing. They go the server's own way, from the text to the priority:
whatever of the truth that way lets in, they gain from.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from benchmarks.replay.config import ReplayConfig
from registry.artefact.calibration import Calibration
from registry.artefact.card import RankerCard, ReferenceScores
from registry.artefact.files import INSTANT_FILE, ONNX_FILE, TOKENIZER_FILE, sha256_of
from registry.artefact.length_distribution import LengthDistribution
from registry.ranker import Ranker, Tier
from registry.request_features import Readable
from registry.store import ranker_folder
from terminal.progress import track
from traffic.length_log import LengthLogSource
from training.config import TrainingConfig

CONTROL_LLM, MIRROR_LLM = "pars-control", "pars-control-mirror"
"""The target LLMs and the model names of the two."""
GRAPHS: Mapping[Tier, str] = {"encoder": ONNX_FILE, "instant": INSTANT_FILE}
UNSEEN_PROMPTS = 200
"""Validation and test prompts of a control: enough to calibrate what is worth nothing."""

Values = npt.NDArray[np.float64]


def write_control(
    config: ReplayConfig, prompts: Sequence[Readable], like: RankerCard, folder: Path
) -> Mapping[str, Path]:
    """Write the control and its mirror image into the folder; return the folder of each by its target LLM.

    Each is calibrated on its own scores of some prompts, whose lengths are not looked at. Their predictions have the
    distribution of the card `like`, the champion's, beside the same prompts. On an engine of several target LLMs places
    are those in the mixture of all distributions, and the mixture of equal ones is that one: so the champion's own
    places are what they are without a control, and the control has the champion's predictions, dealt out by what knows
    nothing.

    Raises:
        RegistryError, InvalidRanker: the given control cannot be used.
        InvalidInput: the log is too small to train one.
    """
    with _source(config) as source:
        ranker = Ranker.load(source)
        scores = {
            tier: ranker.scorer_of(tier).score_all(
                track(prompts[:UNSEEN_PROMPTS], f"calibrate the control's {tier} tier", "prompts")
            )
            for tier in ranker.tiers
        }
        negated = {tier: -several for tier, several in scores.items()}
        return {
            CONTROL_LLM: _write(source, folder / CONTROL_LLM, scores, like),
            MIRROR_LLM: _write(source, folder / MIRROR_LLM, negated, like, is_mirrored=True),
        }


def dealt_out(scores: Values, like: LengthDistribution) -> Calibration:
    """T under which these scores predict what the distribution holds: at each share of them the length that lies there.

    Args:
        scores: of some prompts, [prompts].
        like: the distribution that the predictions get.
    """
    log_tokens = np.log(like.tokens)
    knots = np.quantile(scores, [like.quantile(tokens) for tokens in like.tokens])
    is_knot = np.concatenate([[True], np.diff(knots) > 0])  # equal scores share the shortest of their lengths
    spread = float(np.ptp(knots))
    return Calibration(
        scores=tuple(knots[is_knot].tolist()),
        log_tokens=tuple(log_tokens[is_knot].tolist()),
        tail_slope_log_tokens=max(float(np.ptp(log_tokens)), 1.0) / spread if spread > 0 else 1.0,
    )


def _write(
    source: Path, folder: Path, scores: Mapping[Tier, Values], like: RankerCard, is_mirrored: bool = False
) -> Path:
    """Write a control of both tiers, or its mirror image, whose every tier says the opposite."""
    from training.artefact.mirror import mirror_onnx  # ONNX takes a second to import: not where none is mirrored

    folder.mkdir()
    copyfile(source / TOKENIZER_FILE, folder / TOKENIZER_FILE)
    graphs = [GRAPHS[tier] for tier in scores]
    for name in graphs:
        (mirror_onnx if is_mirrored else copyfile)(source / name, folder / name)
    card = Ranker.load(source).card
    instant = card.instant and card.instant.model_copy(
        update={
            "calibration": dealt_out(scores["instant"], like.distribution),
            "reference": _reference(card.instant.reference, is_mirrored),
        }
    )
    changes = {
        "target_llm": folder.name,
        "calibration": dealt_out(scores["encoder"], like.distribution),
        "distribution": like.distribution,
        "joint": like.joint,
        "metrics": {},
        "reference": _reference(card.reference, is_mirrored),
        "instant": instant,
        "sha256": {name: sha256_of(folder / name) for name in (*graphs, TOKENIZER_FILE)},
    }
    card.model_copy(update=changes).write(folder)
    return folder


def _reference(reference: ReferenceScores | None, is_mirrored: bool) -> ReferenceScores | None:
    if reference is None or not is_mirrored:
        return reference
    return reference.model_copy(update={"scores": tuple(-score for score in reference.scores)})


@contextmanager
def _source(config: ReplayConfig) -> Iterator[Path]:
    """The folder of the given control, or of a small one that is trained on the same length log."""
    if config.control:
        yield ranker_folder(config.control)
        return
    from training.train import train_folder  # Lightning takes seconds to import: not where no control is trained

    with TemporaryDirectory() as folder:
        yield train_folder(_training(config), Path(folder))


def _training(config: ReplayConfig) -> TrainingConfig:
    return TrainingConfig(
        **{one.name: getattr(config, one.name) for one in fields(LengthLogSource)},
        target_llm=config.target_llm,
        shuffle_labels=True,
        max_prompts=config.control_prompts,
        validation_prompts=UNSEEN_PROMPTS,
        test_prompts=UNSEEN_PROMPTS,
        trials=0,
        seed=config.seed,
    )
