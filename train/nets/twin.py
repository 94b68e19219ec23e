"""An encoder that is trained to tell which two passages are of one article."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from wusum.model.network.module import mean_pool


class TwinEncoder(nn.Module):
    """An encoder that embeds both sides of a batch of pairs (InfoNCE: van den Oord et al. 2018)."""

    def __init__(self, encoder: PreTrainedModel, temperature: float) -> None:
        """Train `encoder`; cosines are divided by `temperature`."""
        super().__init__()
        self.encoder, self.temperature = encoder, temperature
        size = encoder.config.hidden_size
        # The projection is dropped after training, with what suits this task alone.
        self.projection = nn.Linear(size, size)
        nn.init.eye_(self.projection.weight)
        nn.init.zeros_(self.projection.bias)

    def embed(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return unit vectors [passages, hidden] of ids and mask [passages, tokens]."""
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        return functional.normalize(self.projection(mean_pool(hidden, mask)).float(), dim=-1)

    def forward(self, short_ids: Tensor, short_mask: Tensor, long_ids: Tensor, long_mask: Tensor) -> dict[str, Tensor]:
        """Return the mean loss in nats of finding the long passage by the short one, and the other way round."""
        cosines = self.embed(short_ids, short_mask) @ self.embed(long_ids, long_mask).T
        own = torch.arange(len(cosines), device=cosines.device)
        logits = cosines.float() / self.temperature
        return {"loss": (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)) / 2}
