"""A tagger without a network, for the tests of the evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from wusum.model.network.artifact import BUNDLED, TopicSettings
from wusum.model.network.outputs import NetworkOutputs
from wusum.model.network.topics import TopicDecoder
from wusum.model.prediction import Prediction, Tag, Topic


class FakeArtifact:
    """The folder of the bundled model."""

    folder = BUNDLED


class FakeEncoder:
    """Encodes the label of each article of the tiny corpus, but sport for every second article on health."""

    calls = 0
    order = (0, 1, 2, 3)
    """The topics in the order of the output."""

    def encode(self, articles: Sequence[Any]) -> NetworkOutputs:
        """Return logits [articles, 4] of the topics sport, economy, health and weather."""
        self.calls += 1
        rows = np.zeros((len(articles), 4), np.float32)
        for row, article in zip(rows, articles, strict=True):
            number = int(article.id.rsplit("-", 1)[1])
            subject = number % 3
            if subject == 2:  # health or weather: their sum wins though sport is the best alone
                row[:] = (3.0, 0.0, 2.9, 2.9) if number % 2 else (9.0, 0.0, 0.0, 0.0)
            else:
                row[subject] = 5.0
        no_tags = np.zeros((len(articles), 1), np.float32)
        return NetworkOutputs(rows[:, self.order], no_tags, tuple({} for _ in articles))


class FakeTagger:
    """Stands in for a `Tagger`; gives every article sport and the same tags."""

    def __init__(self, order: Sequence[int] = (0, 1, 2, 3), topics: Sequence[int] | None = None) -> None:
        """Order the logits as `order` says, and the topics as `topics` says, which is the same by default."""
        self.artifact = FakeArtifact()
        self.encoder = FakeEncoder()
        self.encoder.order = tuple(order)
        known = [TopicSettings(f"medtop:{i:08}", "", "") for i in (order if topics is None else topics)]
        self.topic_decoder = TopicDecoder(known, 1.0, 0.5)

    def stream(self, articles: Any, min_score: float | None = None, **_: Any) -> Iterator[Prediction]:
        """Yield predictions: the tag that is below the threshold only for `min_score` 0."""
        topics = (Topic("medtop:00000000", "رياضة", "sport", 0.9),)
        tags = (Tag("وكرة القدم", 0.9), Tag("غيره", 0.1))
        return (Prediction(a.id, topics, tags if min_score == 0 else tags[:1]) for a in articles)
