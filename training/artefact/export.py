"""Write trained networks as an artefact: int8 ONNX graphs, the tokenizer, the float weights, and the card."""

import logging
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.torch import save_model
from tokenizers import Tokenizer

from registry.artefact.card import Grouping, InstantTier, RankerCard
from registry.artefact.files import INSTANT_FILE, ONNX_FILE, TOKENIZER_FILE, WEIGHTS_FILE, sha256_of
from registry.artefact.length_distribution import LengthDistribution
from registry.artefact.scorer import FEATURES_INPUT, Scorer
from registry.request_features import FEATURES, FEATURES_VERSION, RequestView
from registry.window.token_window import TEXT_RENDERING
from traffic.labelled_prompts import LabelledPrompts
from training.artefact.abstention import band_width
from training.artefact.exported_tier import ExportedTier
from training.artefact.instant_graph import write_instant_graph
from training.artefact.prompt_tokens import joint_sample
from training.artefact.tested_tiers import TestResult, judge_tiers
from training.config import TrainingConfig
from training.distilling.distil import MAX_CHARACTERS
from training.distilling.instant_network import InstantNetwork
from training.network.encoder import RankerNetwork


@dataclass(frozen=True)
class Splits:
    """The prompts of one training."""

    train: LabelledPrompts
    unlabelled: Sequence[RequestView]
    """More requests that the instant network learns from."""
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
class Fitted:
    """The networks of one training, and the tokenizer of both."""

    network: RankerNetwork
    tokenizer: Tokenizer
    instant: InstantNetwork | None
    """None where the ranker is to have no instant tier."""
    distil_s: float
    """What the instant network cost, in seconds."""
    head: int = 0
    """Of a network that was trained for several target LLMs, the one whose ranker this is."""
    graph: Path | None = None
    """The network as it was exported already, for another of them: the same file for all."""


def write_ranker(folder: Path, config: TrainingConfig, splits: Splits, fitted: Fitted) -> TestResult:
    """Export into `folder`, then calibrate and test what was exported, one prompt a call as in serving."""
    folder.mkdir(parents=True, exist_ok=True)
    fitted.tokenizer.save(str(folder / TOKENIZER_FILE))
    save_model(fitted.network, str(folder / WEIGHTS_FILE))
    encoder = _encoder_tier(folder, config, splits, fitted)
    instant = _instant_tier(folder, config, splits, fitted.instant) if fitted.instant else None
    head = fitted.network.feature_head
    features = tuple(head.names) if head else ()
    band = band_width(encoder.validation_tokens, config.coverage)
    result = judge_tiers(encoder, instant, splits.test, config.seed, features)
    result.metrics["test_prompts_in_log"] = float(splits.test_prompts_in_log)
    names = (ONNX_FILE, *([INSTANT_FILE] if instant else []), TOKENIZER_FILE, WEIGHTS_FILE)
    RankerCard(
        target_llm=config.ranker_target_llm,
        encoder=config.encoder,
        max_tokens=config.max_tokens,
        text_rendering=TEXT_RENDERING,
        features=features,
        features_version=FEATURES_VERSION if head else None,
        data_digest=splits.data_digest,
        grouped_by=splits.grouped_by,
        training_prompts=len(splits.train),
        seed=config.seed,
        head=fitted.head,
        calibration=encoder.calibration,
        distribution=LengthDistribution.of(
            encoder.validation_tokens, splits.validation.occurrences, band_log_tokens=band
        ),
        joint=joint_sample(splits.validation, encoder.validation_tokens, fitted.tokenizer),
        metrics=result.metrics,
        instant=_in_card(instant, config.max_tokens) if instant else None,
        reference=encoder.reference,
        sha256={name: sha256_of(folder / name) for name in names},
    ).write(folder)
    return result


def _encoder_tier(folder: Path, config: TrainingConfig, splits: Splits, fitted: Fitted) -> ExportedTier:
    if fitted.graph is None:
        export_onnx(fitted.network, folder / ONNX_FILE)
    else:
        shutil.copy(fitted.graph, folder / ONNX_FILE)
    graph = folder / ONNX_FILE
    scorer = Scorer(graph, folder / TOKENIZER_FILE, config.max_tokens, head=fitted.head, digest=sha256_of(graph))
    return ExportedTier.calibrated("encoder", scorer, splits.validation)


def _instant_tier(folder: Path, config: TrainingConfig, splits: Splits, network: InstantNetwork) -> ExportedTier:
    write_instant_graph(network, folder / INSTANT_FILE, config.max_tokens)
    scorer = Scorer(folder / INSTANT_FILE, folder / TOKENIZER_FILE, config.max_tokens, MAX_CHARACTERS)
    return ExportedTier.calibrated("instant", scorer, splits.validation)


def _in_card(instant: ExportedTier, max_tokens: int) -> InstantTier:
    return InstantTier(
        max_characters=MAX_CHARACTERS,
        max_tokens=max_tokens,
        calibration=instant.calibration,
        reference=instant.reference,
    )


def export_onnx(network: RankerNetwork, path: Path) -> None:
    """Write the network with int8 weights, quantised dynamically per channel (per tensor loses order).

    Weights stay within ±64: a processor without VNNI adds two products of an 8-bit activation and a weight in 16 bits,
    and 2 · 255 · 64 still fits. With weights up to ±127 such sums saturate there, so scores would depend on the
    processor (tau-b 0.97 between two of them). That costs 0.001 of tau-b and no time (docs/results/ranking-cost.md).
    """
    ids = torch.ones((2, 8), dtype=torch.int64)  # a batch of one would become a constant of the graph
    prompts = {0: torch.export.Dim.DYNAMIC}
    tokens = {**prompts, 1: torch.export.Dim.DYNAMIC}
    inputs = {"input_ids": (ids, tokens), "attention_mask": (torch.ones_like(ids), tokens)}
    if network.feature_head is not None:
        inputs[FEATURES_INPUT] = (torch.zeros((2, len(FEATURES))), prompts)
    examples, dynamic = zip(*inputs.values(), strict=True)
    with tempfile.TemporaryDirectory() as scratch, _quiet_exporter():
        plain = Path(scratch) / "plain.onnx"
        torch.onnx.export(
            network.eval(),
            examples,
            plain,
            input_names=[*inputs],
            output_names=["score"],
            dynamo=True,
            dynamic_shapes=dynamic,
            external_data=False,
            verbose=False,
        )
        quantize_dynamic(plain, path, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)


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
