"""Meta-training by Lightning: what is left of a training loop when the algorithm is taken out of it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from faultbench.learning.contracts import TaskBatch

CLIP = 10.0
"""The norm at which the meta-gradient is clipped: a safeguard against a rare exploding second-order term."""


def meta_train(
    parameters: nn.ParameterList | nn.Module,
    loss: Callable[[TaskBatch], Tensor],
    batches: Iterator[TaskBatch],
    *,
    steps: int,
    learning_rate: float,
    progress: Callable[[int, int], None],
) -> None:
    """Minimises a meta-loss over batches of tasks: Adam under a one-cycle schedule (Smith & Topin 2017, arXiv 1708.07120).

    Args:
        parameters: What is trained, in place.
        loss: The meta-loss of a batch of tasks, a scalar.
        batches: Endless.
        steps: Optimiser steps.
        learning_rate: The highest of the cycle.
        progress: Called with (steps done, steps in all).

    Raises:
        KeyboardInterrupt: The user interrupted; nothing is to be kept.
    """
    module = _Meta(parameters, loss, steps, learning_rate, progress)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("pytorch_lightning", "lightning.pytorch", "pytorch_lightning.utilities.rank_zero"):
            logging.getLogger(name).setLevel(logging.ERROR)
        trainer = pl.Trainer(
            max_steps=steps,
            accelerator="cpu",
            devices=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            gradient_clip_val=CLIP,
        )
        try:
            trainer.fit(module, DataLoader(_Endless(batches), batch_size=None))
        except SystemExit as exit_:  # Lightning turns Ctrl-C into an exit of its own
            raise KeyboardInterrupt from exit_
    if trainer.interrupted:
        raise KeyboardInterrupt


class _Meta(pl.LightningModule):
    """One meta-loss under one optimiser."""

    def __init__(
        self,
        parameters: nn.Module,
        loss: Callable[[TaskBatch], Tensor],
        steps: int,
        learning_rate: float,
        progress: Callable[[int, int], None],
    ) -> None:
        super().__init__()
        self.trained = parameters
        self.loss, self.steps, self.learning_rate, self.progress = loss, steps, learning_rate, progress

    def training_step(self, batch: TaskBatch, _index: int) -> Tensor:
        """The meta-loss of one batch of tasks."""
        return self.loss(batch)

    def transfer_batch_to_device(self, batch: TaskBatch, _device: torch.device, _loader: int) -> TaskBatch:
        """The batch as it is: tasks are small, and stay on the CPU."""
        return batch

    def on_train_batch_end(self, *_: object) -> None:
        """Says how far the training is."""
        self.progress(self.global_step, self.steps)

    def configure_optimizers(self) -> dict[str, object]:  # type: ignore[override]
        """Adam, one cycle."""
        optimizer = torch.optim.Adam(self.trained.parameters(), lr=self.learning_rate)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, self.learning_rate, total_steps=self.steps + 1)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class _Endless(IterableDataset[TaskBatch]):
    """An iterator as a data set."""

    def __init__(self, batches: Iterator[TaskBatch]) -> None:
        self._batches = batches

    def __iter__(self) -> Iterator[TaskBatch]:
        return self._batches
