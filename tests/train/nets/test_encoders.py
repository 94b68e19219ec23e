"""The encoder that a training starts from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from tests.support import TINY_BERT
from wusum.model.errors import ConfigError
from wusum.train.nets.encoders import EncoderSettings, open_encoder, set_dropout


def test_a_new_encoder_starts_from_word_vectors(tmp_path: Path) -> None:
    vectors = np.random.default_rng(1).normal(size=(50, 32)).astype(np.float32)
    np.save(tmp_path / "vectors.npy", vectors)
    settings = EncoderSettings(encoder=TINY_BERT, vectors=str(tmp_path / "vectors.npy"), vector_scale=0.5, window=16)
    encoder = open_encoder(settings, vocabulary_size=50, pad=1)
    weight = encoder.get_input_embeddings().weight.detach().numpy()
    np.testing.assert_allclose(np.delete(weight, 1, axis=0), np.delete(vectors, 1, axis=0) / 2)
    assert not weight[1].any()
    assert encoder.config.max_position_embeddings == 16
    assert encoder.config.pad_token_id == 1
    with pytest.raises(ConfigError, match=r"vectors of shape \(50, 32\), embeddings of \(60, 32\)"):
        open_encoder(settings, vocabulary_size=60, pad=1)


def test_a_pretrained_encoder_is_opened_in_single_precision(tmp_path: Path) -> None:
    made = open_encoder(EncoderSettings(encoder=TINY_BERT), 50, 0)
    made.half().save_pretrained(tmp_path)
    opened = open_encoder(EncoderSettings(base_model=str(tmp_path)), 50, 0)
    assert {parameter.dtype for parameter in opened.parameters()} == {torch.float32}
    weights = dict(opened.named_parameters())
    assert weights.keys() == dict(made.named_parameters()).keys()  # without a pooling layer
    for name, weight in made.named_parameters():
        torch.testing.assert_close(weights[name], weight.float())


@pytest.mark.parametrize("family", ["bert", "modernbert"])
def test_dropout_is_that_of_the_attention_too(family: str) -> None:
    own = {"attention_dropout": 0.5} if family == "modernbert" else {}
    shape = transformers.AutoConfig.for_model(
        family, vocab_size=50, max_position_embeddings=16, pad_token_id=0, **TINY_BERT, **own
    )
    encoder = transformers.AutoModel.from_config(shape).train()
    ids = torch.arange(16)[None]

    def differs() -> bool:
        first, second = (encoder(input_ids=ids).last_hidden_state for _ in range(2))
        return not torch.equal(first, second)

    assert differs()
    set_dropout(encoder, 0.0)
    assert not differs()
