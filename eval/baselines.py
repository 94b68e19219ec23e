"""What a model has to beat: simple systems, trained on the same rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from wusum.model.text import normalise
from wusum.train.corpora import CorpusError, Example, LabelMap


def linear_topics(
    rows: Sequence[Example], label_map: LabelMap, sets: Sequence[tuple[int, ...]], test: Sequence[Example]
) -> NDArray[np.intp]:
    """For each test article the index of its set of topics, by a linear SVM over TF-IDF of words and pairs of words.

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
    model: Pipeline = make_pipeline(
        TfidfVectorizer(preprocessor=normalise, ngram_range=(1, 2), min_df=2, sublinear_tf=True, dtype=np.float32),
        LinearSVC(),
    )
    model.fit(texts, classes)
    return np.asarray(model.predict([row.text for row in test]))
