"""A new BERT encoder, to be pretrained or fine-tuned."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import transformers

from wusum.train.config import ConfigError


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
