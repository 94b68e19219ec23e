"""The network: any BERT-family encoder under a topic, a tag and a span head. Imports torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PreTrainedModel

from wusum.model.network.spans import KINDS, MARKS


class Network(nn.Module):
    """Token ids in, topic and tag logits of each window of an article and span logits of each token out."""

    def __init__(self, encoder: PreTrainedModel, topics: int, tags: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.topic_head = nn.Linear(encoder.config.hidden_size, topics)
        self.tag_head = nn.Linear(encoder.config.hidden_size, tags)
        self.span_head = nn.Linear(encoder.config.hidden_size, len(KINDS) * len(MARKS))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Topic logits [windows, topics], tag logits [windows, tags] and span logits [windows, tokens, kinds * marks]
        of int64 ids and mask [windows, tokens]."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        pooled = self.dropout(mean_pool(hidden, attention_mask))
        return self.topic_head(pooled), self.tag_head(pooled), self.span_head(self.dropout(hidden))

    def weights(self) -> dict[str, Tensor]:
        """The weights in half precision under the names that `AutoModel` knows, so that it can read the encoder."""
        prefix = self.encoder.base_model_prefix
        return {
            (f"{prefix}.{name.removeprefix('encoder.')}" if name.startswith("encoder.") else name): value.half()
            for name, value in self.state_dict().items()
        }


def mean_pool(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """The mean [windows, size] of what stands for the tokens of a window [windows, tokens, size], padding apart."""
    mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)


def load_network(folder: Path) -> Network:
    """The network of an artefact, in float32 and evaluation mode. Never runs code that comes with a model."""
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    shape = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    encoder: PreTrainedModel = AutoModel.from_config(shape, **pooling(config))  # type: ignore[no-untyped-call]
    network = Network(encoder, len(config["wusum"]["topics"]), config["wusum"]["tag_labels"])
    prefix = encoder.base_model_prefix + "."
    network.load_state_dict(
        {
            (f"encoder.{name.removeprefix(prefix)}" if name.startswith(prefix) else name): value.float()
            for name, value in load_file(folder / "model.safetensors").items()
        }
    )
    return network.eval()


def pooling(config: dict[str, Any]) -> dict[str, bool]:
    """Arguments that leave out the pooling layer of the families that have one: the network pools by itself."""
    with_pooler = {"bert", "roberta", "xlm-roberta", "camembert"}
    return {"add_pooling_layer": False} if config.get("model_type") in with_pooler else {}
