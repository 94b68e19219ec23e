"""An encoder with fewer embeddings makes the same vectors of texts of kept pieces."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from torch import Tensor
from transformers import PreTrainedModel

from tests.support import TINY_BERT
from wusum.model.errors import ConfigError
from wusum.model.network.module import mean_pool, pooling
from wusum.train.nets.encoder_pruning import greatest_difference, longest_text, needed_ids, prune_encoder

PIECES, PAD = 60, 3
FAMILIES = [
    "bert",
    "roberta",
    "xlm-roberta",
    "camembert",
    "modernbert",
    "electra",
    "albert",
    "deberta-v2",
    "distilbert",
]
COUNTED = ("roberta", "xlm-roberta", "camembert")
"""Families that number positions from the id of padding on."""


def encoder(family: str, **settings: Any) -> PreTrainedModel:
    """A tiny encoder with random weights, and embeddings larger than the vocabulary, as some have."""
    torch.manual_seed(1)
    shape = TINY_BERT | {"vocab_size": PIECES, "max_position_embeddings": 40, "pad_token_id": PAD} | settings
    config = transformers.AutoConfig.for_model(family, **shape)
    made: PreTrainedModel = transformers.AutoModel.from_config(config, **pooling(config.to_dict()))
    for parameter in made.parameters():  # biases and padding too, which start at zero
        torch.nn.init.normal_(parameter, std=0.3)
    return made.eval()


def pooled(model: PreTrainedModel, ids: list[list[int]]) -> Tensor:
    """Return the pooled vectors of texts, padded to the longest."""
    longest = max(map(len, ids))
    padding = model.config.pad_token_id
    mask = torch.tensor([[1] * len(text) + [0] * (longest - len(text)) for text in ids])
    batch = torch.tensor([text + [padding] * (longest - len(text)) for text in ids])
    with torch.inference_mode():
        return mean_pool(model(input_ids=batch, attention_mask=mask).last_hidden_state, mask)


@pytest.mark.parametrize("family", FAMILIES)
def test_texts_of_kept_pieces_have_the_same_vectors(family: str) -> None:
    whole = encoder(family)
    former = sorted(needed_ids(whole) | {7, 20, 21, 40, 59})
    pruned = prune_encoder(whole, former)
    assert len(pruned.get_input_embeddings().weight) == pruned.config.vocab_size == len(former)
    assert former[pruned.config.pad_token_id] == PAD
    texts = [[7, 40, 21, 59, 7], [20, 59], [40] * 30]
    assert {number for text in texts for number in text} <= {*former}
    vectors = pooled(whole, texts)
    assert vectors.std() > 0.1
    torch.testing.assert_close(
        pooled(pruned, [list(map(former.index, text)) for text in texts]), vectors, atol=1e-6, rtol=0
    )
    assert greatest_difference(whole, pruned, former) < 1e-6


@pytest.mark.parametrize("family", FAMILIES)
def test_padding_keeps_its_id_where_positions_are_numbered_from_it(family: str) -> None:
    whole = encoder(family, bos_token_id=50, eos_token_id=51)
    counted = family in COUNTED
    assert set(range(PAD)) <= needed_ids(whole) if counted else not set(range(PAD)) & needed_ids(whole)
    assert {PAD, 50, 51} <= needed_ids(whole)
    assert longest_text(whole) == (36 if counted else 40)


def test_every_id_of_the_configuration_follows() -> None:
    beyond = 50_000  # of another vocabulary
    ids = {"bos_token_id": 10, "eos_token_id": [11, 30, 55], "sep_token_id": 30, "cls_token_id": beyond}
    whole = encoder("bert", **ids)
    assert needed_ids(whole) == {PAD, 10, 11, 30, 55}
    pruned = prune_encoder(whole, [PAD, 10, 11, 20, 30])
    assert pruned.config.to_dict() == whole.config.to_dict() | {
        "vocab_size": 5, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": [2, 4], "sep_token_id": 4,
        "cls_token_id": None,
    }  # fmt: skip
    assert whole.config.vocab_size == PIECES
    assert prune_encoder(whole, [PAD, 20]).config.bos_token_id is None


def test_a_difference_is_found() -> None:
    whole = encoder("roberta")
    former = [2, PAD, *range(9, 30)]
    assert greatest_difference(whole, prune_encoder(whole, former), former) > 0.01
    former = sorted(needed_ids(whole) | {*former})
    pruned = prune_encoder(whole, former)
    assert greatest_difference(whole, pruned, former) < 1e-6
    with torch.no_grad():
        pruned.get_input_embeddings().weight[-1] *= -1
    assert greatest_difference(whole, pruned, former) > 0.01


def test_a_piece_without_an_embedding_is_named() -> None:
    with pytest.raises(ConfigError, match="the encoder has 60 embeddings, and its tokenizer a piece number 60"):
        prune_encoder(encoder("bert"), [PAD, 60])
