"""The output of the network for whole articles, before anything is decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wusum.model.network.spans import Phrase


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
