"""Baselines for topics: text classifiers from the Hugging Face Hub or a folder, their labels mapped to topics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wusum.eval.baselines.topics import TOPIC_BASELINES, ClassPredictions
from wusum.eval.config import EvalConfig
from wusum.eval.gold import TopicSet
from wusum.model.errors import ConfigError
from wusum.train.data.corpora import LabelMap

MAX_TOKENS = 512
"""Most tokens of an article that a classifier reads."""

BATCH_ARTICLES = 16


def classifiers_by_corpus(config: EvalConfig, label_map: LabelMap) -> dict[str, list[str]]:
    """Return for each corpus of `topic_labels` the classifiers whose labels cover at least two of its classes.

    Raises ConfigError for the name of another system, for an unknown topic, and for a classifier that covers two
    classes of no corpus.
    """
    found: dict[str, list[str]] = {corpus: [] for corpus in config.topic_labels}
    for name, meanings in config.hub_models.items():
        if name in ("wusum", *TOPIC_BASELINES):
            raise ConfigError(f"hub_models: {name} is the name of another system; write ./{name} for a folder")
        for label, topics in meanings.items():
            if unknown := [topic for topic in topics if topic not in label_map.keys]:
                known = ", ".join(label_map.keys)
                raise ConfigError(f"hub_models: {name}: {label}: no topic {', '.join(unknown)}; there are {known}")
        for corpus, labels in config.topic_labels.items():
            sets = sorted({label_map.topics(corpus, label) for label in labels})
            if (label_weights(list(meanings), meanings, label_map, sets).sum(0) > 0).sum() > 1:
                found[corpus].append(name)
        if config.topic_labels and not any(name in names for names in found.values()):
            raise ConfigError(f"hub_models: {name}: its labels do not cover two classes of any corpus")
    return found


def classify(
    name: str,
    meanings: Mapping[str, Sequence[str]],
    label_map: LabelMap,
    sets: Sequence[TopicSet],
    texts: Sequence[str],
) -> ClassPredictions:
    """Classify texts by sets of topics with a classifier, whose labels mean some topics each.

    `name` is a folder or a Hub id, which `@` and a revision may follow. Raises ConfigError for a classifier that cannot
    be loaded, or that lacks one of the labels.
    """
    tokenizer, model = _load(name)
    labels = [model.config.id2label[i] for i in range(model.config.num_labels)]
    if unknown := [label for label in meanings if label not in labels]:
        missing, known = (", ".join(map(repr, some)) for some in (unknown, labels))
        raise ConfigError(f"hub_models: {name}: the model has no label {missing}; there are {known}")
    return most_probable(_probabilities(tokenizer, model, texts) @ label_weights(labels, meanings, label_map, sets))


def label_weights(
    labels: Sequence[str], meanings: Mapping[str, Sequence[str]], label_map: LabelMap, sets: Sequence[TopicSet]
) -> NDArray[np.float64]:
    """Return the share [labels, sets] of each label's probability that counts for each set of topics.

    A label counts in equal parts for the sets that contain one of its topics. The row of a label without a meaning, or
    of which no set contains a topic, is zero.
    """
    table = np.zeros((len(labels), len(sets)))
    for row, label in zip(table, labels, strict=True):
        topics = {label_map.keys.index(key) for key in meanings.get(label, ())}
        row[:] = [not topics.isdisjoint(candidate) for candidate in sets]
        row /= max(row.sum(), 1)
    return table


def most_probable(table: NDArray[np.float64]) -> ClassPredictions:
    """Return the set of the highest probability, and its share of the sum, from probabilities [articles, sets]."""
    return table.argmax(1), table.max(1) / np.maximum(table.sum(1), 1e-9)


def model_files(name: str) -> list[Path]:
    """Return the files of a classifier that is a folder; none for one on the Hub."""
    return sorted(path for path in Path(name).rglob("*") if path.is_file())


def _load(name: str) -> tuple[Any, Any]:
    """Return tokenizer and model, without running code or loading pickles that come with them."""
    try:
        import torch
        from safetensors import SafetensorError
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
    except ImportError as error:
        raise ConfigError(f"hub_models: {error}: pip install 'wusum[train,eval]'") from error
    source, _, revision = (name, "", "") if Path(name).is_dir() else name.partition("@")
    options = {"revision": revision or "main", "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, **options)
        model, report = AutoModelForSequenceClassification.from_pretrained(
            source, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **options
        )
        if report["missing_keys"]:
            raise ValueError(f"not a trained classifier: it lacks {', '.join(sorted(report['missing_keys']))}")
        if tokenizer.pad_token is None:
            raise ValueError("its tokenizer has no padding token")
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        raise ConfigError(f"hub_models: {name}: cannot be loaded: {error}") from error
    return tokenizer, model.eval()


def _probabilities(tokenizer: Any, model: Any, texts: Sequence[str]) -> NDArray[np.float64]:
    """Return the probabilities [texts, labels] of a model's labels; those of a multi-label model are independent."""
    import torch

    length = min(tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", MAX_TOKENS), MAX_TOKENS)
    multi_label = model.config.problem_type == "multi_label_classification"
    made = np.zeros((len(texts), model.config.num_labels))
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # batches of similar length need little padding
    for start in range(0, len(order), BATCH_ARTICLES):
        batch = order[start : start + BATCH_ARTICLES]
        inputs = tokenizer(
            [texts[i] for i in batch], truncation=True, max_length=length, padding=True, return_tensors="pt"
        )
        with torch.inference_mode():
            logits = model(**inputs).logits
        made[batch] = (logits.sigmoid() if multi_label else logits.softmax(-1)).numpy()
    return made
