"""The answer for one article: `Prediction`, with its `Topic`s and `Tag`s."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of an article: an IPTC Media Topic, its names and a probability from 0 to 1."""

    code: str
    name_ar: str
    name_en: str
    score: float

    def to_dict(self) -> dict[str, Any]:
        """Return the topic as it stands in an output row."""
        return {"code": self.code, "name_ar": self.name_ar, "name_en": self.name_en, "score": self.score}


@dataclass(frozen=True, slots=True)
class Tag:
    """A keyword tag of an article."""

    text: str
    score: float
    """Probability from 0 to 1 that an editor would give the tag."""
    spans: tuple[tuple[int, int], ...] = ()
    """Character offsets `[start, end)` of its mentions in the given text; empty if it does not stand there."""
    id: str | None = None
    """Its id in a controlled vocabulary that has ids."""
    why: dict[str, float] | None = None
    """The contribution of each feature to the log odds of the score, if an explanation was asked for."""

    def shifted(self, offset: int) -> Tag:
        """Return the tag with every span moved by `offset` characters."""
        return replace(self, spans=tuple((start + offset, end + offset) for start, end in self.spans))

    def to_dict(self) -> dict[str, Any]:
        """Return the tag as it stands in an output row."""
        row = {"text": self.text, "score": self.score, "spans": [list(span) for span in self.spans]}
        row |= {} if self.id is None else {"id": self.id}
        return row | ({} if self.why is None else {"why": self.why})


@dataclass(frozen=True, slots=True)
class Prediction:
    """Topics and tags of one article, best first. Topics are empty only if the text has hardly an Arabic letter."""

    id: str
    topics: tuple[Topic, ...] = ()
    tags: tuple[Tag, ...] = ()
    confident: bool = False
    """Whether the first topic is likely enough to be right, by the articles that the model was calibrated on."""

    def relocated(self, id: str, offset: int) -> Prediction:
        """Return the same answer under another id, with every span moved by `offset` characters."""
        return replace(self, id=id, tags=tuple(tag.shifted(offset) for tag in self.tags))

    def to_dict(self) -> dict[str, Any]:
        """Return the output row."""
        return {
            "id": self.id,
            "confident": self.confident,
            "topics": [topic.to_dict() for topic in self.topics],
            "tags": [tag.to_dict() for tag in self.tags],
        }
