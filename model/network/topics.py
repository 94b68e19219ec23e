"""Topic logits → topics with calibrated probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wusum.model.network.artifact import TopicSettings
from wusum.model.prediction import Topic


class TopicDecoder:
    """Turns topic logits into topics: calibrated probabilities above a threshold, best first, always at least one.

    An article may have several topics, so the probability of each is that of its own logit alone.
    """

    def __init__(self, topics: Sequence[TopicSettings], temperature: float, threshold: float) -> None:
        """Decode logits of these topics; `threshold` is that of the topics that have none of their own."""
        self.topics = topics
        self.temperature = temperature
        self.thresholds = np.array([threshold if topic.threshold is None else topic.threshold for topic in topics])

    def probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probabilities that articles have topics [articles, topics], for logits of that shape."""
        scaled = logits / np.float32(self.temperature)
        return np.asarray(np.exp(-np.logaddexp(0, -scaled)), np.float32)

    def shares(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probabilities [articles, topics] of each topic if an article has exactly one; a row sums to 1."""
        scaled = logits / np.float32(self.temperature)
        exp = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
        return np.asarray(exp / exp.sum(axis=-1, keepdims=True), np.float32)

    def decode(self, logits: NDArray[np.float32], max_topics: int, min_score: float | None) -> tuple[Topic, ...]:
        """Return the topics of one article from its logits [topics]; `min_score` None takes the model's thresholds.

        Their order is that of the logits, since probabilities near 1 round to the same number. A topic that training
        could not tell apart from others (`given` is false) is never given.
        """
        scores = self.probabilities(logits[None])[0]
        least = self.thresholds if min_score is None else np.full(len(scores), min_score)
        best = [i for i in np.argsort(-logits, kind="stable") if self.topics[i].given][:max_topics]
        return tuple(
            Topic(topic.code, topic.name_ar, topic.name_en, round(float(scores[i]), 4))
            for rank, i in enumerate(best)
            if rank == 0 or scores[i] >= least[i]
            for topic in (self.topics[i],)
        )
