"""A linear baseline for topics that learns from what the network does: sets of possible topics, or several true ones.

Its articles are those of `wusum train finetune`. The topics of the network are independent of each other
(`wusum.train.nets.heads`); this baseline is a softmax over them, the best linear model.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import log_softmax, logit, logsumexp, softmax
from sklearn.feature_extraction.text import TfidfVectorizer

from wusum.eval.config import EvalConfig
from wusum.eval.gold import sample
from wusum.model.errors import CorpusError
from wusum.model.network.artifact import TopicSettings
from wusum.model.network.topics import TopicDecoder
from wusum.model.text.normalisation import normalise
from wusum.train.config import load
from wusum.train.data.anonymiser import Anonymiser
from wusum.train.data.corpora import Example, LabelMap
from wusum.train.data.cues import Cues
from wusum.train.data.dataset import possible_topics, training_examples
from wusum.train.tagging.topic_thresholds import fit_topic_thresholds

MAX_CHARS = 2000
"""Characters of a text that the model reads."""

MAX_FEATURES = 100_000
"""Words and pairs of words that the model knows: the most frequent ones."""

STRENGTH = 10.0
"""Weight of the summed loss beside the L2 penalty, half the sum of the squared weights; chosen on validation splits."""

ITERATIONS = 60
"""Most iterations of L-BFGS."""

_models: dict[str, LabelSetModel] = {}


@dataclass(frozen=True)
class LabelSetModel:
    """Softmax regression over the TF-IDF of words and pairs of words."""

    features: TfidfVectorizer
    weights: NDArray[np.float32]
    """[features + 1, topics]; the last row is the bias."""

    @classmethod
    def fit(cls, texts: Sequence[str], targets: NDArray[np.floating], *, strength: float = STRENGTH) -> LabelSetModel:
        """Fit the model on texts and the topics of each [texts, topics].

        A row of `targets` has ones for the topics that a text can have, of which at least one is true, or the shares of
        all topics that it has, which sum to 1. The loss of the former is minus the log of the summed probability of the
        set (Jin and Ghahramani, NIPS 2002), of the latter cross-entropy.
        """
        features = word_features(max_features=MAX_FEATURES)
        table = features.fit_transform([text[:MAX_CHARS] for text in texts])
        return cls(features, _fit_weights(table, np.asarray(targets, np.float32), strength))

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the logits of topics [texts, topics]."""
        table = self.features.transform([text[:MAX_CHARS] for text in texts])
        return np.asarray(table @ self.weights[:-1] + self.weights[-1])

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the probabilities of topics [texts, topics]; each row sums to 1."""
        return np.asarray(softmax(self.logits(texts).astype(float), axis=1))

    def log_odds(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the log odds of these probabilities [texts, topics], for a `TopicDecoder`."""
        return np.asarray(logit(np.clip(self.probabilities(texts), 1e-9, 1 - 1e-9)), np.float32)


def word_features(max_features: int | None = None) -> TfidfVectorizer:
    """Return an unfitted TF-IDF of the words and pairs of words that at least two texts have."""
    return TfidfVectorizer(
        preprocessor=normalise, ngram_range=(1, 2), min_df=2, sublinear_tf=True, dtype=np.float32,
        max_features=max_features,
    )  # fmt: skip


def training_articles(config: EvalConfig, leave_out: Collection[str] = ()) -> tuple[list[str], NDArray[np.float32]]:
    """Return the texts that the network learns topics from, each once, and their targets for `LabelSetModel.fit`.

    They are the articles of `wusum train finetune` by the evaluation's settings of trainings, without some corpora; a
    quick run takes a sample. Raises CorpusError if no article has a topic.
    """
    from wusum.train.stages.finetune import FinetuneConfig  # imports torch

    settings = replace(load(FinetuneConfig, config.finetune, config.training), data=config.data)
    label_map = LabelMap.load(config.topics)
    cues = Cues.load(settings.cues, label_map) if settings.cues else None
    anonymise = Anonymiser(settings.outlet_names)
    found = [
        (replace(example, body=anonymise(example.body)).text, target)
        for corpus in settings.corpora
        if corpus not in {*leave_out, *settings.leave_out}
        for example in training_examples(settings, corpus)
        if example.source not in {*leave_out, *settings.leave_out}
        if (target := _target(example, label_map, cues)).any()
    ]
    if not found:
        raise CorpusError(f"linear baseline: no training article of {config.finetune} has a topic")
    if config.quick:
        found = sample(found, config.quick_training, config.seed)
    return [text for text, _ in found], np.stack([target for _, target in found])


def trained_model(config: EvalConfig, leave_out: Collection[str] = ()) -> LabelSetModel:
    """Return the model of `training_articles`; it is kept for further answers of the same run."""
    key = repr((config, sorted(leave_out)))
    if key not in _models:
        _models[key] = LabelSetModel.fit(*training_articles(config, leave_out))
    return _models[key]


def fit_decoder(
    model: LabelSetModel,
    label_map: LabelMap,
    articles: Sequence[Example],
    gold: NDArray[np.bool_],
    min_articles: int,
) -> TopicDecoder:
    """Return the decoder of the model's log odds to topics, whose codes are keys of the label map.

    As the network's, its thresholds are fitted on articles all of whose topics are known [articles, topics]; a topic
    of fewer than `min_articles` has the threshold of most.
    """
    scores = np.where(label_map.given, model.probabilities([e.text for e in articles]), 0).astype(np.float32)
    shared, own, _ = fit_topic_thresholds(scores, gold, min_articles)
    return decoder(label_map, shared, own)


def decoder(label_map: LabelMap, threshold: float, own: Mapping[int, float]) -> TopicDecoder:
    """Return a decoder of log odds to topics, whose codes are keys of the label map.

    `own` are thresholds of single topics by their number; `threshold` is that of the others.
    """
    given = enumerate(zip(label_map.keys, label_map.given, strict=True))
    return TopicDecoder([TopicSettings(key, "", "", ok, own.get(i)) for i, (key, ok) in given], 1.0, threshold)


def _target(example: Example, label_map: LabelMap, cues: Cues | None) -> NDArray[np.float32]:
    """Return the row of targets of an article [topics]; it is zero if nothing is known of its topics."""
    row = np.zeros(len(label_map.keys), np.float32)
    if example.topics:
        row[[label_map.keys.index(topic) for topic in example.topics]] = 1 / len(example.topics)
        return row
    row[list(possible_topics(example, label_map, cues))] = 1
    return row


def _fit_weights(table: csr_matrix, targets: NDArray[np.float32], strength: float) -> NDArray[np.float32]:
    """Return the weights [features + 1, topics] of least loss for a table [texts, features], by L-BFGS from zero."""
    shape = table.shape[1] + 1, targets.shape[1]
    found = minimize(
        _penalised_loss,
        np.zeros(shape[0] * shape[1]),
        args=(table, table.T.tocsr(), targets, strength),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": ITERATIONS},
    )
    return np.asarray(found.x.reshape(shape), np.float32)


def _penalised_loss(
    flat: NDArray[np.float64],
    table: csr_matrix,
    transposed: csr_matrix,
    targets: NDArray[np.float32],
    strength: float,
) -> tuple[float, NDArray[np.float64]]:
    """Return the mean loss of weights with its penalty, and the gradient; weights and gradient are flattened."""
    weights = flat.reshape(-1, targets.shape[1])
    narrow = weights.astype(np.float32)
    value, change = _topic_loss(table @ narrow[:-1] + narrow[-1], targets)
    kept = np.concatenate([weights[:-1], np.zeros_like(weights[-1:])])  # the bias is not penalised
    gradient = np.concatenate([transposed @ change, change.sum(axis=0, keepdims=True)]) + kept / strength
    return (value + (kept**2).sum() / (2 * strength)) / len(targets), gradient.ravel() / len(targets)


def _topic_loss(logits: NDArray[np.float32], targets: NDArray[np.float32]) -> tuple[float, NDArray[np.float32]]:
    """Return the summed loss of logits [texts, topics] for the targets of `LabelSetModel.fit`, and its gradient."""
    logs = log_softmax(logits, axis=1)
    within = np.where(targets > 0, logs, -np.inf)
    is_set = targets.sum(axis=1) > 1.001
    losses = np.where(is_set, -logsumexp(within, axis=1), -(targets * logs).sum(axis=1))
    expected = np.where(is_set[:, None], softmax(within, axis=1), targets)
    return float(losses.sum(dtype=float)), np.exp(logs) - expected
