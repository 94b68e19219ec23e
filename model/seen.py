"""The answers for texts seen before: dumps repeat themselves."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import TYPE_CHECKING

from wusum.model.article import Article

if TYPE_CHECKING:
    from wusum.model.prediction import Prediction

REMEMBERED = 4096
"""Texts whose answers are remembered."""

REMEMBERED_PARTS = 500_000
"""Tags, spans and reasons of all remembered answers, some 130 bytes each: a long text can have a million spans."""


class Seen:
    """Answers by what two articles share that get the same one, those of the texts seen last.

    After `trim` it is within its bounds; between, it holds all that it was given.
    """

    def __init__(self, texts: int = REMEMBERED, parts: int = REMEMBERED_PARTS) -> None:
        self._texts, self._most = texts, parts
        self._answers: OrderedDict[bytes, Prediction] = OrderedDict()
        self._parts = 0

    def __contains__(self, key: bytes) -> bool:
        return key in self._answers

    def __len__(self) -> int:
        return len(self._answers)

    def __getitem__(self, key: bytes) -> Prediction:
        self._answers.move_to_end(key)
        return self._answers[key]

    def __setitem__(self, key: bytes, answer: Prediction) -> None:
        """Keep the answer for a text that is not in it."""
        self._answers[key] = answer
        self._parts += _parts(answer)

    def trim(self) -> None:
        """Forget the texts that have not been seen for longest, where there are too many."""
        while len(self._answers) > self._texts or self._parts > self._most:
            self._parts -= _parts(self._answers.popitem(last=False)[1])


def digest(article: Article) -> bytes:
    """What two articles share that get the same answer."""
    text = f"{article.title}\0{article.body}"
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()


def _parts(answer: Prediction) -> int:
    return sum(1 + len(tag.spans) + len(tag.why or ()) for tag in answer.tags)
