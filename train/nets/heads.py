"""The losses of the three heads, and a Trainer that adds them up.

Topics are learned from *sets* of topics (partial labels): the loss is minus the log of the summed probability of the
set that a label can mean (Jin and Ghahramani, "Learning with multiple labels", NIPS 2002). Tags are learned as a
softmax over the labels of the tag head, with the editor's tags as equally likely targets. Key phrases and names that
stand in the text are learned token by token.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional
from transformers import Trainer

from wusum.model.errors import ConfigError
from wusum.model.network.module import Network
from wusum.model.network.spans import MARKS
from wusum.model.text.words import match_key
from wusum.train.data.mentions import UNMARKED
from wusum.train.model_folder import WEIGHTS, read_tag_labels, topic_codes


class HeadsTrainer(Trainer):
    """A Trainer of a `Network` with the losses of all heads."""

    tag_weight = span_weight = 1.0
    """Weights of the tag loss and the span loss beside the topic loss."""

    def compute_loss(self, model: Any, inputs: dict[str, Tensor], *_: Any, **__: Any) -> Tensor:
        """Return the scalar loss of a batch of `WindowCollator`."""
        topic_logits, tag_logits, span_logits = model(inputs["input_ids"], inputs["attention_mask"])
        return (
            topic_loss(topic_logits.float(), inputs["topics"])
            + self.tag_weight * tag_loss(tag_logits.float(), inputs["tags"])
            + self.span_weight * span_loss(span_logits.float(), inputs["marks"])
        )


def topic_loss(logits: Tensor, sets: Tensor) -> Tensor:
    """Return the mean of -log P(set) over the rows whose set is not empty; both arguments are [rows, topics]."""
    labelled = sets.any(-1)
    if not labelled.any():
        return logits.sum() * 0
    logits, sets = logits[labelled], sets[labelled]
    inside = logits.masked_fill(sets == 0, -torch.inf).logsumexp(-1)
    return (logits.logsumexp(-1) - inside).mean()


def tag_loss(logits: Tensor, tags: Tensor) -> Tensor:
    """Return the mean cross-entropy over the tagged rows, their tags being equally likely; both are [rows, tags]."""
    tagged = tags.any(-1)
    if not tagged.any():
        return logits.sum() * 0
    targets = tags[tagged] / tags[tagged].sum(-1, keepdim=True)
    return -(targets * logits[tagged].log_softmax(-1)).sum(-1).mean()


def span_loss(logits: Tensor, marks: Tensor) -> Tensor:
    """Return the mean cross-entropy over the marked tokens.

    `logits` is [rows, tokens, kinds * marks] and `marks` [rows, tokens, kinds], UNMARKED for a token without mark.
    """
    marked = marks != UNMARKED
    if not marked.any():
        return logits.sum() * 0
    return functional.cross_entropy(logits.reshape(*marks.shape, len(MARKS))[marked], marks[marked])


def load_heads(network: Network, folder: Path, codes: Sequence[str], tags: Sequence[str]) -> None:
    """Give a network the heads of the fine-tuned model in a folder.

    `codes` are the topics of the network and `tags` the match keys of its tag labels. Raises ConfigError if the folder
    has no heads, or heads of other labels.
    """
    try:
        kept = topic_codes(folder)
        labels = read_tag_labels(folder)
        weights = load_file(folder / WEIGHTS)
    except (OSError, KeyError) as error:
        raise ConfigError(f"{folder}: no heads of a fine-tuned model to keep: {error}") from error
    for kind, same in (("topics", kept == list(codes)), ("tags", list(map(match_key, labels)) == list(tags))):
        if not same:
            raise ConfigError(f"{folder}: its heads are of other {kind}; leave keep_heads out to make new ones")
    for name in ("topic_head", "tag_head", "span_head"):
        head = network.get_submodule(name)
        head.load_state_dict({part: weights[f"{name}.{part}"].float() for part in ("weight", "bias")})
