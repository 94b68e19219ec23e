"""What the topics of a model have to beat: simple systems that learn from the same rows."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from wusum.eval.gold import Meaning
from wusum.model.errors import CorpusError
from wusum.model.text.normalisation import normalise
from wusum.model.text.words import words
from wusum.train.data.corpora import Example, LabelMap

Guess = tuple[NDArray[np.intp], NDArray[np.float64] | None]
"""The class of each article, and the probability of it where the system has any."""

Baseline = Callable[[Sequence[str], Sequence[int], Sequence[str]], Guess]
"""Takes training texts, their classes, and the texts to be told."""

BUCKETS, SIZE, EPOCHS, RATE = 1 << 18, 32, 5, 0.1
"""Of the bag of embeddings: hash buckets of words and pairs of words, dimensions, epochs, learning rate."""


def majority(training: Sequence[str], classes: Sequence[int], test: Sequence[str]) -> Guess:
    """The most frequent class, whatever the text."""
    ((best, count),) = Counter(classes).most_common(1)
    return np.full(len(test), best, np.intp), np.full(len(test), count / len(classes))


def linear_model() -> Pipeline:
    """A linear SVM over TF-IDF of words and pairs of words, untrained."""
    return make_pipeline(
        TfidfVectorizer(preprocessor=normalise, ngram_range=(1, 2), min_df=2, sublinear_tf=True, dtype=np.float32),
        LinearSVC(random_state=13),
    )


def linear(training: Sequence[str], classes: Sequence[int], test: Sequence[str]) -> Guess:
    """What the linear model says."""
    model = linear_model().fit(training, classes)
    return np.asarray(model.predict(test)), None


def bag_of_embeddings(training: Sequence[str], classes: Sequence[int], test: Sequence[str]) -> Guess:
    """A linear classifier of mean hashed embeddings of words and pairs of words (fastText: Joulin et al. 2017)."""
    import torch

    torch.manual_seed(13)
    seen = sorted(set(classes))
    rows = list(map(_buckets, training))
    targets = torch.tensor([seen.index(c) for c in classes])
    bag = torch.nn.EmbeddingBag(BUCKETS, SIZE, mode="mean", sparse=True)
    torch.nn.init.uniform_(bag.weight, -1 / SIZE, 1 / SIZE)
    head = torch.nn.Linear(SIZE, len(seen))
    torch.nn.init.zeros_(head.weight)
    optimizer = torch.optim.Adagrad([*bag.parameters(), *head.parameters()], lr=RATE)
    for _ in range(EPOCHS):
        order = torch.randperm(len(rows)).tolist()
        for start in range(0, len(order), 16):
            chosen = order[start : start + 16]
            loss = torch.nn.functional.cross_entropy(head(bag(*_joined([rows[i] for i in chosen]))), targets[chosen])
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            optimizer.zero_grad()
    with torch.no_grad():
        chances = [head(bag(*_joined([_buckets(text)]))).softmax(-1).numpy()[0] for text in test]
    table = np.stack(chances)
    return np.array(seen, np.intp)[table.argmax(1)], table.max(1).astype(float)


BASELINES: dict[str, Baseline] = {"majority": majority, "linear": linear, "fastText-like": bag_of_embeddings}


def linear_topics(
    rows: Sequence[Example], label_map: LabelMap, sets: Sequence[Meaning], test: Sequence[Example]
) -> NDArray[np.intp]:
    """For each test article the index of its set of topics, by the linear model, taught by other corpora.

    It learns from the articles whose label means one of the sets or a part of it: a linear model of classes has no use
    for a label that may mean two of them. Raises CorpusError where fewer than two of the sets have such articles.
    """
    texts, classes = [], []
    for row in rows:
        meaning = set(label_map.topics(row.corpus, row.label))
        fitting = [i for i, topics in enumerate(sets) if meaning and meaning <= set(topics)]
        if fitting:
            texts.append(row.text)
            classes.append(fitting[0])
    if len(set(classes)) < 2:
        raise CorpusError(f"linear baseline: {len(rows)} training articles teach {len(set(classes))} of the classes")
    return linear(texts, classes, [row.text for row in test])[0]


def _buckets(text: str) -> list[int]:
    found = [word.text for word in words(text)]
    pairs = (f"{a} {b}" for a, b in pairwise(found))
    return [zlib.crc32(gram.encode()) % BUCKETS for gram in (*found, *pairs)] or [0]


def _joined(rows: Sequence[list[int]]) -> tuple[Any, Any]:
    import torch

    flat = torch.tensor([bucket for row in rows for bucket in row])
    return flat, torch.tensor(np.cumsum([0, *map(len, rows[:-1])]))
