"""Classifiers of the Hugging Face Hub, or of folders, that answer beside the model: their labels are told in topics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wusum.eval.baselines.topics import BASELINES, Guess
from wusum.eval.config import EvalConfig
from wusum.eval.gold import Meaning
from wusum.model.errors import ConfigError
from wusum.train.data.corpora import LabelMap

LONGEST, BATCH = 512, 16
"""Tokens of an article that a classifier reads, at most, and articles it reads at once."""


def answering(config: EvalConfig, label_map: LabelMap) -> dict[str, list[str]]:
    """For each corpus of topic_labels the classifiers whose labels reach at least two of its classes.

    Raises ConfigError for a name that is taken, for a topic that does not exist, and for a classifier that could
    answer on no corpus.
    """
    found: dict[str, list[str]] = {corpus: [] for corpus in config.topic_labels}
    for name, meanings in config.hub_models.items():
        if name in ("wusum", *BASELINES):
            raise ConfigError(f"hub_models: {name} is the name of another system; ./{name} is a folder")
        for label, topics in meanings.items():
            if unknown := [topic for topic in topics if topic not in label_map.keys]:
                there = ", ".join(label_map.keys)
                raise ConfigError(f"hub_models: {name}: {label}: no topic {', '.join(unknown)}; there are {there}")
        for corpus, labels in config.topic_labels.items():
            sets = sorted({label_map.topics(corpus, label) for label in labels})
            if (shares(list(meanings), meanings, label_map, sets).sum(0) > 0).sum() > 1:
                found[corpus].append(name)
        if config.topic_labels and not any(name in names for names in found.values()):
            raise ConfigError(f"hub_models: {name}: its labels reach no two classes of any corpus")
    return found


def guess(
    name: str, meanings: Mapping[str, Sequence[str]], label_map: LabelMap, sets: Sequence[Meaning], texts: Sequence[str]
) -> Guess:
    """The set of each text, by a classifier whose labels mean some topics, and the probability of it.

    `name` is a folder or a Hub id, where `@` and a revision may follow. Raises ConfigError for a classifier that
    cannot be loaded, or that lacks one of these labels.
    """
    tokenizer, model = _load(name)
    labels = [model.config.id2label[i] for i in range(model.config.num_labels)]
    if unknown := [label for label in meanings if label not in labels]:
        missing, there = (", ".join(map(repr, some)) for some in (unknown, labels))
        raise ConfigError(f"hub_models: {name}: the model has no label {missing}; there are {there}")
    return decided(_probabilities(tokenizer, model, texts) @ shares(labels, meanings, label_map, sets))


def shares(
    labels: Sequence[str], meanings: Mapping[str, Sequence[str]], label_map: LabelMap, sets: Sequence[Meaning]
) -> NDArray[np.float64]:
    """How the probability of a label falls to the sets of topics, in equal parts to those it has one of [labels, sets].

    That of a label with a topic in none of them, or with no meaning, falls to none.
    """
    table = np.zeros((len(labels), len(sets)))
    for row, label in zip(table, labels, strict=True):
        topics = {label_map.keys.index(key) for key in meanings.get(label, ())}
        row[:] = [not topics.isdisjoint(meaning) for meaning in sets]
        row /= max(row.sum(), 1)
    return table


def decided(table: NDArray[np.float64]) -> Guess:
    """The set whose summed probability is highest, and its part of what all sets have, from [articles, sets]."""
    return table.argmax(1), table.max(1) / np.maximum(table.sum(1), 1e-9)


def files(name: str) -> list[Path]:
    """What a classifier consists of, where it is a folder."""
    return sorted(path for path in Path(name).rglob("*") if path.is_file())


def _load(name: str) -> tuple[Any, Any]:
    """Tokenizer and model; neither code nor pickles of others are run."""
    try:
        import torch
        from safetensors import SafetensorError
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
    except ImportError as error:
        raise ConfigError(f"hub_models: {error}: pip install 'wusum[train,eval]'") from error
    source, _, revision = (name, "", "") if Path(name).is_dir() else name.partition("@")
    chosen = {"revision": revision or "main", "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, **chosen)
        model, report = AutoModelForSequenceClassification.from_pretrained(
            source, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **chosen
        )
        if report["missing_keys"]:
            raise ValueError(f"it has no {', '.join(sorted(report['missing_keys']))}: it is no trained classifier")
        if tokenizer.pad_token is None:
            raise ValueError("its tokenizer has no padding token")
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        raise ConfigError(f"hub_models: {name}: cannot be loaded: {error}") from error
    return tokenizer, model.eval()


def _probabilities(tokenizer: Any, model: Any, texts: Sequence[str]) -> NDArray[np.float64]:
    """Of each label of the model [texts, labels]; independent ones where it was trained for several labels a text."""
    import torch

    longest = min(tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", LONGEST), LONGEST)
    several = model.config.problem_type == "multi_label_classification"
    made = np.zeros((len(texts), model.config.num_labels))
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # alike lengths together: little padding
    for start in range(0, len(order), BATCH):
        chosen = order[start : start + BATCH]
        inputs = tokenizer(
            [texts[i] for i in chosen], truncation=True, max_length=longest, padding=True, return_tensors="pt"
        )
        with torch.inference_mode():
            logits = model(**inputs).logits
        made[chosen] = (logits.sigmoid() if several else logits.softmax(-1)).numpy()
    return made
