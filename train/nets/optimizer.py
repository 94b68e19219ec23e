"""One optimizer for a transformer: Muon for its matrices, AdamW for the rest.

Muon orthogonalises the momentum of a matrix (Jordan et al., "Muon: an optimizer for hidden layers", 2024); embeddings,
biases and norms are no such matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
QUINTIC = (3.4445, -4.7750, 2.0315)
"""Coefficients of the Newton-Schulz iteration, chosen by Jordan for steepness at zero; singular values end near 1."""


def orthogonal(matrix: Tensor, iterations: int = 5) -> Tensor:
    """About the nearest matrix with orthogonal rows, or columns where there are fewer of them."""
    tall = matrix.size(0) > matrix.size(1)
    found = matrix.T if tall else matrix
    found = found / (found.norm() + 1e-7)
    for _ in range(iterations):
        square = found @ found.T
        found = QUINTIC[0] * found + (QUINTIC[1] * square + QUINTIC[2] * square @ square) @ found
    return torch.as_tensor(found.T if tall else found)


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov momentum and decoupled weight decay.

    As `torch.optim.Muon`, but in the precision of the parameters: that one's bfloat16 products take two thirds of a
    step's time on processors that have none of their own.
    """

    def __init__(self, params: Iterable[nn.Parameter], lr: float, weight_decay: float) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every matrix that has a gradient."""
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                state = self.state[matrix]
                momentum = state.setdefault("momentum_buffer", torch.zeros_like(matrix))
                momentum.lerp_(matrix.grad, 1 - MOMENTUM)
                update = orthogonal(matrix.grad.lerp(momentum, MOMENTUM))
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.add_(update, alpha=-group["lr"] * max(1.0, matrix.size(0) / matrix.size(1)) ** 0.5)


class MuonAdamW(torch.optim.Optimizer):
    """Both as one, so that a Trainer schedules, saves and restores them together."""

    def __init__(self, model: nn.Module, matrix_rate: float, rate: float, weight_decay: float) -> None:
        """Learning rates of the matrices and of the rest; the weight decay is the matrices' alone."""
        named = dict(model.named_parameters())
        matrices = [p for name, p in named.items() if p.ndim == 2 and "embeddings" not in name]
        rest = [p for name, p in named.items() if not (p.ndim == 2 and "embeddings" not in name)]
        self.parts: tuple[torch.optim.Optimizer, ...] = (
            Muon(matrices, lr=matrix_rate, weight_decay=weight_decay),
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
