"""The settings that every training with `transformers.Trainer` shares, and the loop itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Settings of a training."""

    batch_size: int = 32
    """Articles of a batch."""
    learning_rate: float = 5e-4
    """Highest learning rate, reached at the end of the warm-up."""
    warmup_share: float = 0.1
    """Share of the steps in which the learning rate rises."""
    weight_decay: float = 0.01
    """Weight decay of AdamW."""
    bf16: bool = False
    """Compute in bfloat16: faster on GPUs and on CPUs that have AVX512-BF16 or AMX, slower elsewhere."""
    save_steps: int = 500
    """Steps between two checkpoints."""
    seed: int = 13
    """Seed of everything random: weights, dropout, order and choice of the articles."""


def training_arguments(settings: TrainingSettings, output: Path, **changes: Any) -> TrainingArguments:
    """Return the arguments of a Trainer that writes its checkpoints to `output`; `changes` add to them or replace some.

    The Trainer runs on a GPU if torch finds one.
    """
    on_gpu = torch.cuda.is_available()
    arguments: dict[str, Any] = {
        "output_dir": str(output),
        "per_device_train_batch_size": settings.batch_size,
        "learning_rate": settings.learning_rate,
        "weight_decay": settings.weight_decay,
        "bf16": settings.bf16,
        "use_cpu": not on_gpu,
        "dataloader_pin_memory": on_gpu,
        "remove_unused_columns": False,
        "logging_steps": 50,
        "save_steps": settings.save_steps,
        "save_total_limit": 2,
        "seed": settings.seed,
        "report_to": "none",
    }
    return TrainingArguments(**arguments | changes)


def train(trainer: Trainer) -> None:
    """Train, from the last checkpoint in the Trainer's output folder if there is one."""
    last = get_last_checkpoint(trainer.args.output_dir)  # type: ignore[no-untyped-call]
    trainer.train(resume_from_checkpoint=last)
