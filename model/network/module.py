"""The network in torch: an encoder of the BERT family with a topic, a tag and a span head."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PreTrainedModel

from wusum.model.network.outputs import KINDS
from wusum.model.network.spans import MARKS


class Network(nn.Module):
    """An encoder with three heads: topics and tags of a window, and spans among its tokens."""

    def __init__(self, encoder: PreTrainedModel, topics: int, tags: int, dropout: float = 0.1) -> None:
        """Put new heads for this many topics and tags on an encoder, with `dropout` before each."""
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.topic_head = nn.Linear(encoder.config.hidden_size, topics)
        self.tag_head = nn.Linear(encoder.config.hidden_size, tags)
        self.span_head = nn.Linear(encoder.config.hidden_size, len(KINDS) * len(MARKS))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return topic logits [windows, topics], tag logits [windows, tags], span logits as in `WindowLogits`.

        `input_ids` and `attention_mask` are int64 [windows, tokens].
        """
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        pooled = self.dropout(mean_pool(hidden, attention_mask))
        return self.topic_head(pooled), self.tag_head(pooled), self.span_head(self.dropout(hidden))

    def weights(self) -> dict[str, Tensor]:
        """Return the weights in half precision, the encoder's under their names in `AutoModel`, which can load them."""
        prefix = self.encoder.base_model_prefix
        return {
            (f"{prefix}.{name.removeprefix('encoder.')}" if name.startswith("encoder.") else name): value.half()
            for name, value in self.state_dict().items()
        }


def mean_pool(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """Return the mean [windows, size] of hidden states [windows, tokens, size] over the tokens that are not padding."""
    mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)


def load_network(folder: Path) -> Network:
    """Return the network of a model folder, in float32 and evaluation mode.

    Code that comes with a model is never run. Raises the exceptions of safetensors, torch and transformers if files are
    damaged.
    """
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
    """Return the arguments of `AutoModel` that leave out the encoder's own pooling: the network uses `mean_pool`."""
    with_pooler = {"bert", "roberta", "xlm-roberta", "camembert"}
    return {"add_pooling_layer": False} if config.get("model_type") in with_pooler else {}
