"""The history of a training: a line for each logged number, and the curve of the loss."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerState

log = logging.getLogger(__name__)


class History(TrainerCallback):
    """Appends everything that a Trainer logs to a JSON Lines file."""

    def __init__(self, path: Path) -> None:
        """Append to `path`."""
        self.path = path

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        """Write what the Trainer logs at a step."""
        line = {"step": state.global_step, **(logs or {})}
        if "eval_loss" in line:
            log.info("step %d: validation %s", state.global_step, line)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def loss_curve(state: TrainerState, batch_size: int) -> list[list[float]]:
    """Return pairs of windows read and mean training loss since the pair before, from the state of a Trainer."""
    return [[entry["step"] * batch_size, entry["loss"]] for entry in state.log_history if "loss" in entry]
