"""The encoder that a training starts from: a pretrained one, or a new BERT whose embeddings are word vectors."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import AutoConfig, AutoModel, BertConfig, BertModel, PreTrainedModel
from transformers.utils.hub import cached_file

from wusum.model.errors import ConfigError
from wusum.model.network.module import pooling
from wusum.train.cache import digest_of, file_digest, read_json
from wusum.train.inputs import Inputs, file_inputs
from wusum.train.model_folder import CONFIG, TAG_LABELS, TOKENIZER, WEIGHTS

_WEIGHTS = (WEIGHTS, "model.safetensors.index.json", "pytorch_model.bin")
"""Names of the file of weights, of several, or of one that an older version wrote."""


@dataclass(frozen=True, kw_only=True)
class EncoderSettings:
    """Settings of the encoder that a training starts from."""

    base_model: str = ""
    """Hub id or folder of a pretrained encoder; empty makes a new one of the shape in `encoder`."""
    encoder: dict[str, Any] = field(default_factory=dict)
    """Shape of a new BERT: hidden_size, num_hidden_layers, num_attention_heads, intermediate_size."""
    vectors: str = ""
    """File of word vectors that the embeddings of a new encoder start from; empty starts them at random."""
    vector_scale: float = 0.05
    """Standard deviation of embeddings that start from vectors."""
    window: int = 128
    """Tokens that the encoder reads at once, with its two special tokens."""


def encoder_inputs(settings: EncoderSettings) -> Inputs:
    """Return digests of what an encoder starts from: word vectors, or the files of a base model.

    Those are its shape, weights, tokenizer and tag labels; what later stages add to its folder does not count. Raises
    ConfigError if there is no such base model or file.
    """
    if not settings.base_model:
        return file_inputs({"vectors": settings.vectors})
    shape, *others = (_base_file(settings.base_model, name) for name in (CONFIG, TOKENIZER, TAG_LABELS, *_WEIGHTS))
    if shape is None:
        raise ConfigError(f"{settings.base_model}: no {CONFIG}")
    kept = {name: value for name, value in read_json(shape).items() if name != "wusum"}
    return {"base_model": digest_of(kept, [path and file_digest(path) for path in others])}


def _base_file(base_model: str, name: str) -> Path | None:
    """Return a file of a model of the Hub or a folder, None if it has none of this name."""
    try:
        found = cached_file(base_model, name, _raise_exceptions_for_missing_entries=False)
    except OSError as error:
        raise ConfigError(f"{base_model}: {error}") from error
    return Path(found) if found else None


def open_encoder(settings: EncoderSettings, vocabulary_size: int, pad: int) -> PreTrainedModel:
    """Return the encoder that settings name, in float32; never runs code that comes with a model.

    Raises ConfigError if word vectors do not fit its embeddings.
    """
    if not settings.base_model:
        return new_bert(settings, vocabulary_size, pad)
    config = AutoConfig.from_pretrained(settings.base_model, trust_remote_code=False)
    encoder: PreTrainedModel = AutoModel.from_pretrained(
        settings.base_model, trust_remote_code=False, dtype=torch.float32, **pooling(config.to_dict())
    )
    return encoder


def new_bert(settings: EncoderSettings, vocabulary_size: int, pad: int) -> BertModel:
    """Return a new BERT; raises ConfigError if the file of word vectors is for embeddings of another shape."""
    config = BertConfig(
        vocab_size=vocabulary_size,
        max_position_embeddings=settings.window,
        pad_token_id=pad,
        type_vocab_size=1,
        **settings.encoder,
    )
    encoder = BertModel(config, add_pooling_layer=False)
    if settings.vectors:
        vectors = torch.from_numpy(np.load(settings.vectors))
        weight = encoder.embeddings.word_embeddings.weight
        if vectors.shape != weight.shape:
            raise ConfigError(
                f"{settings.vectors}: vectors of shape {tuple(vectors.shape)}, embeddings of {tuple(weight.shape)}"
            )
        with torch.no_grad():
            weight.copy_(vectors * settings.vector_scale)
            weight[pad] = 0
    return encoder


def set_dropout(encoder: PreTrainedModel, share: float) -> None:
    """Set every dropout of an encoder, that of its attention too, to a share of the activations; adds none."""
    for module in encoder.modules():
        if isinstance(module, nn.Dropout):
            module.p = share
        elif isinstance(getattr(module, "attention_dropout", None), float):  # ModernBERT's
            module.attention_dropout = share  # type: ignore[assignment]
