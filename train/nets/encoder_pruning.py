"""An encoder cut to some of the pieces of its vocabulary: the same vectors for texts made of these."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedModel

from wusum.model.errors import ConfigError
from wusum.model.network.module import pooling

_TRIAL = (8, 16)
"""Texts and tokens on which two encoders are compared."""


def needed_ids(encoder: PreTrainedModel) -> set[int]:
    """Return the ids that an encoder cannot do without, whatever the texts are.

    They are those that its configuration names, if it has embeddings of them, and all up to the id of padding where
    positions are numbered from that on (RoBERTa and its kin, some with a fixed id): it keeps its number.
    """
    named = {number for value in _token_ids(encoder).values() for number in _listed(value)}
    return named & set(range(len(_embeddings(encoder)))) | set(range(_first_position(encoder)))


def longest_text(encoder: PreTrainedModel) -> int | None:
    """Return how many tokens an encoder can read at once, None if its architecture sets no limit."""
    positions = getattr(encoder.config, "max_position_embeddings", None)
    return positions and positions - _first_position(encoder)


def _first_position(encoder: PreTrainedModel) -> int:
    """Return the position of a text's first token: 0, or the one behind that of padding."""
    tables = {module for module in encoder.modules() if isinstance(module, nn.Embedding)}
    paddings = [table.padding_idx for table in tables - {encoder.get_input_embeddings()}]
    return max((padding + 1 for padding in paddings if padding is not None), default=0)


def prune_encoder(encoder: PreTrainedModel, former: Sequence[int]) -> PreTrainedModel:
    """Return an encoder with the embeddings of the ids `former` alone, in this order; ids that it names follow.

    Raises ConfigError if the encoder has no embedding for one of them.
    """
    table = _embeddings(encoder)
    if max(former) >= len(table):
        raise ConfigError(f"the encoder has {len(table)} embeddings, and its tokenizer a piece number {max(former)}")
    rows = torch.tensor(former)
    new_ids = {old: new for new, old in enumerate(former)}
    config = copy.deepcopy(encoder.config)
    config.vocab_size = len(former)
    for name, value in _token_ids(encoder).items():
        renumbered = [new_ids[old] for old in _listed(value) if old in new_ids]
        setattr(config, name, renumbered if isinstance(value, list) else next(iter(renumbered), None))
    weights = {
        name: value[rows] if value.data_ptr() == table.data_ptr() else value
        for name, value in encoder.state_dict().items()
    }
    pruned: PreTrainedModel = AutoModel.from_config(config, **pooling(config.to_dict()))  # type: ignore[no-untyped-call]
    pruned.load_state_dict(weights)
    pruned.train(False)
    return pruned


@torch.inference_mode()
def greatest_difference(encoder: PreTrainedModel, pruned: PreTrainedModel, former: Sequence[int]) -> float:
    """Return the greatest difference between the token vectors of an encoder and its pruned form on random texts."""
    ids = torch.randint(len(former), _TRIAL, generator=torch.Generator().manual_seed(0))
    before = encoder(input_ids=torch.tensor(former)[ids]).last_hidden_state
    after = pruned(input_ids=ids).last_hidden_state
    return float((before - after).abs().max())


def _embeddings(encoder: PreTrainedModel) -> Tensor:
    """Return the embeddings of pieces [pieces, size]."""
    table: Any = encoder.get_input_embeddings().weight
    return cast(Tensor, table)


def _token_ids(encoder: PreTrainedModel) -> dict[str, Any]:
    """Return the settings of an encoder that are an id of a piece, or a list of such."""
    settings = encoder.config.to_dict().items()
    return {name: value for name, value in settings if name.endswith("_token_id") and value is not None}


def _listed(value: int | list[int]) -> list[int]:
    return value if isinstance(value, list) else [value]
