"""What the network makes of articles, before anything is decided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wusum.model.network.spans import Phrase


class Reading(NamedTuple):
    """What the network makes of one article."""

    topics: NDArray[np.float32]
    """Topic logits [topics]."""
    tags: NDArray[np.float32]
    """Tag logits [labels]."""
    phrases: dict[str, Phrase]
    """What the span head marks, by match key."""
    ids: Sequence[int] = ()
    """Its token ids, those that the network does not come to among them."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What the network makes of some articles."""

    topics: NDArray[np.float32]
    """Topic logits [articles, topics]."""
    tags: NDArray[np.float32]
    """Tag logits [articles, labels]."""
    phrases: tuple[dict[str, Phrase], ...]
    """What the span head marks in each."""
    ids: tuple[Sequence[int], ...]
    """Token ids of each."""

    def __iter__(self) -> Iterator[Reading]:
        """Article by article."""
        return map(Reading, self.topics, self.tags, self.phrases, self.ids)
