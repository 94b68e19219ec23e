"""The output of the network for whole articles, before anything is decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

KINDS = ("phrase", "name")
"""Kinds of spans: phrases that an editor would choose as tags, and names of people, places and organisations."""


MIN_LOG_ODDS = -4.0
"""Least log odds of a marked phrase, and those of a phrase that was not marked."""


@dataclass(slots=True)
class Phrase:
    """A phrase that the span head marked in an article."""

    forms: Counter[str] = field(default_factory=Counter)
    """Its spellings in the article, with their numbers."""
    log_odds: list[float] = field(default_factory=lambda: [MIN_LOG_ODDS] * len(KINDS))
    """For each kind, the highest log odds of its mentions."""


class HasText(Protocol):
    """Anything with a title and a body, such as an `Article`."""

    @property
    def title(self) -> str:
        """The title, "" for none."""

    @property
    def body(self) -> str:
        """The body."""


class NetworkOutput(NamedTuple):
    """The output for one article."""

    topic_logits: NDArray[np.float32]
    """Logits [topics]."""
    tag_logits: NDArray[np.float32]
    """Logits [labels] of the tag head."""
    phrases: dict[str, Phrase]
    """Phrases that the span head marked, by match key."""


@dataclass(frozen=True, slots=True)
class NetworkOutputs:
    """The output for several articles; iterates over a `NetworkOutput` for each."""

    topic_logits: NDArray[np.float32]
    """Logits [articles, topics]."""
    tag_logits: NDArray[np.float32]
    """Logits [articles, labels] of the tag head."""
    phrases: tuple[dict[str, Phrase], ...]
    """Phrases that the span head marked in each article, by match key."""

    def __iter__(self) -> Iterator[NetworkOutput]:
        """Iterate article by article."""
        return map(NetworkOutput, self.topic_logits, self.tag_logits, self.phrases)


def log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the log probabilities [labels] of logits."""
    if not len(logits):
        return np.zeros(0)
    shifted = logits.astype(np.float64) - logits.max(initial=0)
    return np.asarray(shifted - np.log(np.exp(shifted).sum()))
