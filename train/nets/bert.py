"""A new BERT encoder, to be pretrained or fine-tuned, started where random weights would take hours to arrive."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import transformers

from wusum.model.errors import ConfigError

OFFSETS = (-1, 1, -2, 2, -3, 3, -4, 4)
"""The neighbours that the heads of the first layer look at, in this order."""

SHARPNESS = 1.0
"""How much a head prefers its neighbour, for each pair of coordinates; 32 pairs make it all but sure."""


def new_bert(
    shape: dict[str, Any], vocab_size: int, positions: int, pad: int, vectors: str = "", vector_scale: float = 1.0
) -> transformers.BertModel:
    """A new BERT; its embeddings start from the word vectors in a file, scaled, or at random where none is named."""
    config = transformers.BertConfig(
        vocab_size=vocab_size, max_position_embeddings=positions, pad_token_id=pad, type_vocab_size=1, **shape
    )
    encoder = transformers.BertModel(config, add_pooling_layer=False)
    if vectors:
        start = torch.from_numpy(np.load(vectors))
        weight = encoder.embeddings.word_embeddings.weight
        if start.shape != weight.shape:
            raise ConfigError(f"{vectors}: vectors of shape {tuple(start.shape)}, embeddings of {tuple(weight.shape)}")
        with torch.no_grad():
            weight.copy_(start * vector_scale)
            weight[pad] = 0
    return encoder


@torch.no_grad()
def look_at_neighbours(encoder: transformers.BertModel, amplitude: float = 0.1) -> None:
    """Start each head of the first layer on one neighbour of every token: the one before, the one after, …

    A masked-language model with random attention learns the frequencies of words first and stays there for long,
    until some head finds the next word. Positions are written as sines and cosines in a subspace of the embeddings,
    where a turn by a fixed angle is a step to a neighbour; query and key differ by that turn. `amplitude` is that of
    the sines, to be compared with the standard deviation of the word embeddings. Training is free to change it all.
    """
    config = encoder.config
    size, heads = config.hidden_size, config.num_attention_heads
    head_size = size // heads
    pairs = head_size // 2
    subspace, _ = torch.linalg.qr(torch.randn(size, 2 * pairs))
    angles = torch.arange(1, pairs + 1) * math.pi / (pairs + 1)
    turned = torch.arange(config.max_position_embeddings)[:, None] * angles
    code = torch.cat([turned.cos(), turned.sin()], dim=1) @ subspace.T
    encoder.embeddings.position_embeddings.weight.copy_(amplitude * code)
    # The layer norm behind the embeddings rescales the code; what is left of it, on ordinary words, sets the gain.
    words = torch.randint(config.vocab_size, (8, config.max_position_embeddings))
    left = (encoder.embeddings(words) @ subspace).norm(dim=-1).mean() / math.sqrt(pairs)
    gain = math.sqrt(math.sqrt(head_size) * SHARPNESS) / left
    query, key = (encoder.get_parameter(f"encoder.layer.0.attention.self.{name}.weight") for name in ("query", "key"))
    for head, offset in zip(range(heads), OFFSETS, strict=False):
        cos, sin = torch.diag((angles * offset).cos()), torch.diag((angles * offset).sin())
        turn = torch.cat([torch.cat([cos, -sin], dim=1), torch.cat([sin, cos], dim=1)])
        rows = slice(head * head_size, (head + 1) * head_size)
        query[rows] = gain * turn @ subspace.T
        key[rows] = gain * subspace.T
