"""`Suite`: what every suite consists of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from wusum.eval.config import EvalConfig
from wusum.eval.measures.answers import Answers, Key
from wusum.model.tagger import Tagger


@dataclass(frozen=True)
class Suite:
    """Answers that are measured together."""

    keys: Callable[[EvalConfig], Iterator[Key]]
    """Yields the keys of the answers that the suite needs; raises ConfigError or CorpusError for wrong settings."""
    answer: Callable[[Key, Tagger, EvalConfig], Answers]
    """Returns the answers of one key; the tagger is the model that is measured."""
