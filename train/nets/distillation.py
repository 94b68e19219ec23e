"""A small encoder that learns from the outputs of fine-tuned ones beside the labels.

It learns their probabilities (Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015) and, by
way of a projection, their pooled vectors, which tell more of a text than a few topics do (Reimers and Gurevych, "Making
monolingual sentence embeddings multilingual using knowledge distillation", EMNLP 2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from wusum.model.errors import ConfigError
from wusum.model.network.module import Network
from wusum.train.nets.heads import tag_loss
from wusum.train.nets.teachers import run_network


@dataclass(frozen=True, kw_only=True)
class LossSettings:
    """Weights of the losses beside that of topics."""

    vector_weight: float = 3.0
    """Weight of the cosine distance from the first teacher's vector."""
    span_weight: float = 4.0
    """Weight of the loss of key phrases and names."""
    tag_weight: float = 0.5
    """Weight of the loss of tags."""


class Student(nn.Module):
    """A network that is trained to answer as `SoftTargets` say."""

    def __init__(self, network: Network, size: int, settings: LossSettings) -> None:
        """Train `network`; the vectors of its teacher have this size."""
        super().__init__()
        self.network, self.settings = network, settings
        self.projection = nn.Linear(network.encoder.config.hidden_size, size)  # dropped after training

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, topics: Tensor, tags: Tensor, vectors: Tensor, marks: Tensor
    ) -> dict[str, Tensor]:
        """Return the scalar loss of a batch of `PassageBatches`."""
        pooled, topic_logits, tag_logits, span_logits = run_network(self.network, input_ids, attention_mask)
        return {
            "loss": soft_topic_loss(topic_logits.float(), topics)
            + self.settings.vector_weight * vector_loss(self.projection(pooled).float(), vectors.float())
            + self.settings.span_weight * soft_span_loss(span_logits.float(), marks.float())
            + self.settings.tag_weight * tag_loss(tag_logits.float(), tags)
        }


def soft_topic_loss(logits: Tensor, topics: Tensor) -> Tensor:
    """Return the mean over the rows of the summed cross-entropies of topics; both are [rows, topics]."""
    return functional.binary_cross_entropy_with_logits(logits, topics, reduction="none").sum(-1).mean()


def vector_loss(vectors: Tensor, targets: Tensor) -> Tensor:
    """Return the mean cosine distance between vectors and their targets, both [rows, size]."""
    return (1 - functional.cosine_similarity(vectors, targets, dim=-1)).mean()


def soft_span_loss(logits: Tensor, marks: Tensor) -> Tensor:
    """Return the mean cross-entropy over tokens and kinds.

    `logits` is [rows, tokens, kinds * marks]; `marks`, the probabilities of marks, is [rows, tokens, kinds, marks] and
    zero for a token that does not count.
    """
    counted = marks.any(-1).sum().clamp(min=1)
    return -(marks * logits.view(marks.shape).log_softmax(-1)).sum() / counted


def embeddings_of(
    table: Tensor, teacher_tokenizer: Tokenizer, tokenizer: Tokenizer, size: int, deviation: float
) -> Tensor:
    """Return embeddings [tokens, size] for the tokens of a tokenizer, made of a teacher's `table` [pieces, its size].

    Each is the mean of the vectors of the pieces that the teacher's tokenizer makes of the token. They are centred,
    projected on their principal components and scaled to a standard deviation; a token without pieces, such as a
    special one, has zeros. Raises ConfigError if the teacher's vectors are smaller, or all the same.
    """
    if size > table.shape[1]:
        raise ConfigError(
            f"teacher_embeddings: the teacher's have {table.shape[1]} components, not {size}; set it to false"
        )
    pieces = token_pieces(teacher_tokenizer, tokenizer)
    known = torch.tensor([bool(ids) for ids in pieces])
    means = torch.zeros(len(pieces), table.shape[1])
    for number, ids in enumerate(pieces):
        if ids:
            means[number] = table[ids].mean(0)
    means[known] -= means[known].mean(0)
    _, directions = torch.linalg.eigh((means.T @ means).double())  # with ascending eigenvalues
    made: Tensor = means @ directions.flip(1)[:, :size].float()
    spread = made[known].std()
    if not spread > 0:
        raise ConfigError("teacher_embeddings: the teacher's are all the same; set it to false")
    made *= deviation / spread
    return made


def token_pieces(teacher_tokenizer: Tokenizer, tokenizer: Tokenizer) -> list[list[int]]:
    """Return for each token of a tokenizer the ids of the pieces that another makes of its letters, none of a space.

    Special tokens have none.
    """
    special = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
    vocabulary = tokenizer.get_vocab()
    ordered = sorted(vocabulary, key=lambda token: vocabulary[token])
    letters = ["" if token in special else _letters(token) for token in ordered]
    encodings = teacher_tokenizer.encode_batch(letters, add_special_tokens=False)
    return [[i for i, piece in zip(e.ids, e.tokens, strict=True) if _letters(piece)] for e in encodings]


def _letters(token: str) -> str:
    """Return a token of a WordPiece or a unigram tokenizer without the sign that it begins, or goes on with, a word."""
    return token.removeprefix("##").replace("▁", " ").strip()
