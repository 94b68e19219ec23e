"""The losses of the three heads, and a Trainer that adds them up.

An article may have several topics, so each has a probability of its own. Where all of them are known, the loss is the
cross-entropy of each; where a label means one of a *set* of topics (partial labels: Jin and Ghahramani, "Learning with
multiple labels", NIPS 2002), it is minus the log of the probability that the article has any of them, and the other
topics count as absent with a small weight, since the label does not rule them out. Tags are learned as a softmax over
the labels of the tag head, with the editor's tags as equally likely targets. Key phrases and names that stand in the
text are learned token by token.
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
            topic_loss(topic_logits.float(), inputs["topics"], inputs["exact"])
            + self.tag_weight * tag_loss(tag_logits.float(), inputs["tags"])
            + self.span_weight * span_loss(span_logits.float(), inputs["marks"])
        )


OTHER_TOPICS = 0.3
"""Weight of the topics outside of a set as absent ones."""


def topic_loss(logits: Tensor, topics: Tensor, exact: Tensor) -> Tensor:
    """Return the mean loss of the rows that have topics.

    `logits` and `topics` are [rows, topics]. The topics of a row that is `exact` [rows] are all that it has; those of
    another are a set, of which it has at least one.
    """
    labelled = topics.any(-1)
    if not labelled.any():
        return logits.sum() * 0
    logits, topics, exact = logits[labelled], topics[labelled], exact[labelled]
    absent = functional.logsigmoid(-logits)  # log probability that the article lacks the topic
    present = functional.logsigmoid(logits)
    known = -(topics * present + (1 - topics) * absent).sum(-1)
    none = (topics * absent).sum(-1).clamp(max=-1e-30)  # so that the logarithm is finite
    partial = -torch.log(-none.expm1()) - OTHER_TOPICS * ((1 - topics) * absent).sum(-1)
    return torch.where(exact, known, partial).mean()


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
