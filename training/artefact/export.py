"""Write a trained network as an artefact: an int8 ONNX graph, the tokenizer, the float weights, and the card."""

import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.torch import save_model
from tokenizers import Tokenizer

from registry.artefact.calibration import Calibration, LengthDistribution
from registry.artefact.card import Grouping, RankerCard, ReferenceScores
from registry.artefact.files import ONNX_FILE, TOKENIZER_FILE, WEIGHTS_FILE, sha256_of
from registry.artefact.scorer import Scorer
from registry.request import TEXT_RENDERING
from traffic.labelled_prompts import LabelledPrompts
from training.artefact.abstention import band_width
from training.artefact.calibrate import fit_calibration
from training.config import TrainingConfig
from training.judging.ranking_metrics import ranking_metrics
from training.network.encoder import RankerNetwork


@dataclass(frozen=True)
class Splits:
    """The prompts of one training."""

    train: LabelledPrompts
    validation: LabelledPrompts
    test: LabelledPrompts
    test_prompts_in_log: int
    """Of how many the test prompts were drawn."""
    data_digest: str
    grouped_by: tuple[Grouping, ...]
    """How the data was grouped, and that of the rankers that a warm start goes back to."""
    notes: tuple[str, ...] = ()
    """What must be known of the test prompts: sentences."""


@dataclass(frozen=True)
class TestResult:
    """What the artefact says of the test prompts, beside the truth."""

    predicted_tokens: npt.NDArray[np.float64]
    output_tokens: npt.NDArray[np.float64]
    is_censored: npt.NDArray[np.bool_]
    metrics: dict[str, float]


def write_ranker(
    folder: Path, config: TrainingConfig, splits: Splits, network: RankerNetwork, tokenizer: Tokenizer
) -> TestResult:
    """Export into `folder`, then calibrate and test what was exported, one prompt a call as in serving."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / TOKENIZER_FILE))
    export_onnx(network, folder / ONNX_FILE)
    save_model(network, str(folder / WEIGHTS_FILE))
    scorer = Scorer(folder / ONNX_FILE, folder / TOKENIZER_FILE, config.max_tokens)
    scores = scorer.score_all(splits.validation.prompts, progress="calibrating on validation prompts")
    calibration = fit_calibration(scores, splits.validation.output_tokens)
    predicted = np.array([calibration.predicted_tokens(score) for score in scores])
    band = band_width(predicted, config.coverage)
    result = _test(scorer, calibration, splits, config.seed)
    RankerCard(
        target_llm=config.ranker_target_llm,
        encoder=config.encoder,
        max_tokens=config.max_tokens,
        text_rendering=TEXT_RENDERING,
        data_digest=splits.data_digest,
        grouped_by=splits.grouped_by,
        training_prompts=len(splits.train),
        seed=config.seed,
        calibration=calibration,
        distribution=LengthDistribution.of(predicted, splits.validation.occurrences, band_log_tokens=band),
        metrics=result.metrics,
        reference=ReferenceScores.of(scorer.score, float(np.std(scores))),
        sha256={name: sha256_of(folder / name) for name in (ONNX_FILE, TOKENIZER_FILE, WEIGHTS_FILE)},
    ).write(folder)
    return result


def export_onnx(network: RankerNetwork, path: Path) -> None:
    """Write the network with int8 weights, quantised dynamically per channel (per tensor loses order).

    Weights stay within ±64: a processor without VNNI adds two products of an 8-bit activation and a weight in 16 bits,
    and 2 · 255 · 64 still fits. With weights up to ±127 such sums saturate there, so scores would depend on the
    processor (tau-b 0.97 between two of them). That costs 0.001 of tau-b and no time (docs/results.md).
    """
    ids = torch.ones((2, 8), dtype=torch.int64)  # a batch of one would become a constant of the graph
    dynamic = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    with tempfile.TemporaryDirectory() as scratch, _quiet_exporter():
        plain = Path(scratch) / "plain.onnx"
        torch.onnx.export(
            network.eval(),
            (ids, torch.ones_like(ids)),
            plain,
            input_names=["input_ids", "attention_mask"],
            output_names=["score"],
            dynamo=True,
            dynamic_shapes=(dynamic, dynamic),
            external_data=False,
            verbose=False,
        )
        quantize_dynamic(plain, path, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)


def _test(scorer: Scorer, calibration: Calibration, splits: Splits, seed: int) -> TestResult:
    test = splits.test
    scores = scorer.score_all(test.prompts, progress="testing on test prompts")
    metrics = ranking_metrics(scores, test.output_tokens, test.is_censored, test.groups, seed)
    metrics["test_prompts_in_log"] = float(splits.test_prompts_in_log)
    predicted = np.array([calibration.predicted_tokens(score) for score in scores])
    return TestResult(predicted, test.output_tokens, test.is_censored, metrics)


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """The exporter and the quantiser advise at length on steps that are not ours to take."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir", "root")]
    levels = [one.level for one in loggers]
    for one in loggers:
        one.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for one, level in zip(loggers, levels, strict=True):
            one.setLevel(level)
