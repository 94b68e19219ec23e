"""The loss of contrastive pretraining."""

from __future__ import annotations

import pytest
import torch

from tests.support import TINY_BERT
from wusum.train.nets.encoders import EncoderSettings, open_encoder
from wusum.train.nets.twin import TwinEncoder


def test_the_loss_is_the_cross_entropy_of_finding_the_own_passage() -> None:
    encoder = open_encoder(EncoderSettings(encoder=TINY_BERT, window=32), 120, 0)
    model = TwinEncoder(encoder, 0.5).eval()
    ids, mask = torch.randint(5, 120, (3, 8)), torch.ones(3, 8, dtype=torch.long)
    with torch.no_grad():
        vectors = model.embed(ids, mask)
        assert vectors.norm(dim=-1).tolist() == pytest.approx([1, 1, 1])
        logits = (vectors @ vectors.T / 0.5).log_softmax(-1)
        assert float(model(ids, mask, ids, mask)["loss"]) == pytest.approx(float(-logits.diagonal().mean()), abs=1e-5)
