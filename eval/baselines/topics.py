"""Baselines for topics: simple systems that learn from the same rows as the model."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from wusum.eval.baselines.label_sets import LabelSetModel, word_features
from wusum.model.text.words import words

ClassPredictions = tuple[NDArray[np.intp], NDArray[np.float64] | None]
"""The class of each article [articles] and its probability [articles], None if a system gives no probabilities."""

TopicBaseline = Callable[[Sequence[str], Sequence[int], Sequence[str]], ClassPredictions]
"""A function of training texts, their classes, and the texts to classify."""

BUCKETS = 1 << 18
"""Hash buckets of the words and pairs of words that have an embedding."""

DIMENSIONS, EPOCHS, LEARNING_RATE = 32, 5, 0.1


def majority(training: Sequence[str], classes: Sequence[int], test: Sequence[str]) -> ClassPredictions:
    """Predict the most frequent class for every text."""
    ((best, count),) = Counter(classes).most_common(1)
    return np.full(len(test), best, np.intp), np.full(len(test), count / len(classes))


def linear_model() -> Pipeline:
    """Return an untrained linear SVM over the TF-IDF of words and pairs of words."""
    return make_pipeline(word_features(), LinearSVC(random_state=13))


def linear(training: Sequence[str], classes: Sequence[int], test: Sequence[str]) -> ClassPredictions:
    """Predict with the linear model, which gives no probabilities."""
    model = linear_model().fit(training, classes)
    return np.asarray(model.predict(test)), None


def logistic(training: Sequence[str], classes: Sequence[int], test: Sequence[str]) -> ClassPredictions:
    """Predict with softmax regression over the same features."""
    model = LabelSetModel.fit(training, np.eye(max(classes) + 1)[list(classes)])
    table = model.probabilities(test)
    return table.argmax(axis=1), table.max(axis=1)


def bag_of_embeddings(training: Sequence[str], classes: Sequence[int], test: Sequence[str]) -> ClassPredictions:
    """Predict with a linear classifier of mean hashed embeddings of words and pairs of words.

    This is fastText's model (Joulin et al., "Bag of tricks for efficient text classification", EACL 2017). Needs torch.
    """
    import torch

    torch.manual_seed(13)
    present = sorted(set(classes))
    rows = list(map(_buckets, training))
    targets = torch.tensor([present.index(c) for c in classes])
    bag = torch.nn.EmbeddingBag(BUCKETS, DIMENSIONS, mode="mean", sparse=True)
    torch.nn.init.uniform_(bag.weight, -1 / DIMENSIONS, 1 / DIMENSIONS)
    head = torch.nn.Linear(DIMENSIONS, len(present))
    torch.nn.init.zeros_(head.weight)
    optimizer = torch.optim.Adagrad([*bag.parameters(), *head.parameters()], lr=LEARNING_RATE)
    for _ in range(EPOCHS):
        order = torch.randperm(len(rows)).tolist()
        for start in range(0, len(order), 16):
            batch = order[start : start + 16]
            loss = torch.nn.functional.cross_entropy(head(bag(*_bag_input([rows[i] for i in batch]))), targets[batch])
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            optimizer.zero_grad()
    with torch.no_grad():
        probabilities = [head(bag(*_bag_input([_buckets(text)]))).softmax(-1).numpy()[0] for text in test]
    table = np.stack(probabilities)
    return np.array(present, np.intp)[table.argmax(1)], table.max(1).astype(float)


TOPIC_BASELINES: dict[str, TopicBaseline] = {
    "majority": majority,
    "linear": linear,
    "logistic": logistic,
    "fastText-like": bag_of_embeddings,
}


def _buckets(text: str) -> list[int]:
    found = [word.text for word in words(text)]
    pairs = (f"{a} {b}" for a, b in pairwise(found))
    return [zlib.crc32(gram.encode()) % BUCKETS for gram in (*found, *pairs)] or [0]


def _bag_input(rows: Sequence[list[int]]) -> tuple[Any, Any]:
    """Return rows of buckets as `torch.nn.EmbeddingBag` takes them: joined, and the offset of each row."""
    import torch

    flat = torch.tensor([bucket for row in rows for bucket in row])
    return flat, torch.tensor(np.cumsum([0, *map(len, rows[:-1])]))
