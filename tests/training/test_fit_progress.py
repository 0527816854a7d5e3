"""A trainer's progress counts the batches of all its epochs."""

from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import lightning
import pytest
import torch
from torch.utils.data import DataLoader

from terminal.progress import progress
from training import fit_progress
from training.fit_progress import FitProgress
from training.quiet_lightning import quiet_lightning


class Line(lightning.LightningModule):
    """Fits a line to nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch: torch.Tensor) -> torch.Tensor:
        return self.layer(batch).square().mean()

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.mark.filterwarnings("ignore:The 'train_dataloader' does not have many workers")
def test_batches_of_all_epochs_are_counted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(fit_progress, "progress", partial(progress, clock=count().__next__))
    with quiet_lightning():
        trainer = lightning.Trainer(
            max_epochs=2,
            accelerator="cpu",
            callbacks=[FitProgress("fit a line")],
            enable_progress_bar=False,
            enable_checkpointing=False,
            enable_model_summary=False,
            logger=False,
            default_root_dir=tmp_path,
        )
        trainer.fit(Line(), DataLoader(torch.ones(6, 1), batch_size=2))
    first, *_, last = capsys.readouterr().err.splitlines()
    assert first.startswith("fit a line: 0 of 6 batches")
    assert last.startswith("fit a line: 6 of 6 batches in ")
