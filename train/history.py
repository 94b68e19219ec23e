"""The history of a pretraining, line by line."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

log = logging.getLogger(__name__)


class History(TrainerCallback):
    """Appends every logged line to a JSONL file, with what follows from a validation loss."""

    def __init__(self, path: Path, derive: Callable[[float], dict[str, float]] = lambda loss: {}) -> None:
        """`derive`: further numbers from a validation loss in nats."""
        self.path, self.derive = path, derive

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        """Called by the Trainer."""
        line = {"step": state.global_step, **(logs or {})}
        if "eval_loss" in line:
            line |= self.derive(line["eval_loss"])
            log.info("step %d: validation %s", state.global_step, line)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
