"""Cutting a training short."""

from __future__ import annotations

from typing import Any

import transformers


class StopAt(transformers.TrainerCallback):
    """Ends training at a step, as a kill after a checkpoint would."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        control.should_training_stop = state.global_step >= self.step
