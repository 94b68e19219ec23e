"""One optimizer for a transformer: Muon for its matrices, AdamW for the rest.

Muon orthogonalises the momentum of a matrix (Jordan et al., "Muon: an optimizer for hidden layers", 2024); embeddings,
biases and norms are no such matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn


class MuonAdamW(torch.optim.Optimizer):
    """Both as one, so that a Trainer schedules, saves and restores them together."""

    def __init__(self, model: nn.Module, matrix_rate: float, rate: float, weight_decay: float) -> None:
        """Learning rates of the matrices and of the rest; the weight decay is the matrices' alone."""
        named = dict(model.named_parameters())
        matrices = [p for name, p in named.items() if p.ndim == 2 and "embeddings" not in name]
        rest = [p for name, p in named.items() if not (p.ndim == 2 and "embeddings" not in name)]
        self.parts: tuple[torch.optim.Optimizer, ...] = (
            torch.optim.Muon(matrices, lr=matrix_rate, weight_decay=weight_decay),
            torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.98), weight_decay=0.0),
        )
        super().__init__([{"params": matrices}, {"params": rest}], {})
        self._share_groups()

    def _share_groups(self) -> None:
        # The very groups of the parts: what a schedule writes there, the parts see.
        self.param_groups = [group for part in self.parts for group in part.param_groups]

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step of both."""
        loss = closure() if closure else None
        for part in self.parts:
            part.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """The state of both."""
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore both."""
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self._share_groups()
