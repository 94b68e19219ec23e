"""A tag of a vocabulary, and its mentions in an article."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Entry:
    """A tag of the vocabulary: its match key, its usual spelling and its counts in the training data."""

    key: str
    text: str
    present: int
    """Training articles that contain it."""
    tagged: int
    """Training articles that have it as a tag."""
    prior: int
    """Training articles that contain it and have it as a tag."""
    label: int
    """Its label in the tag head, -1 if it has none."""
    subject: bool = True
    """Whether articles can have it without its standing there: a sport, but no person."""


@dataclass(slots=True)
class Mentions:
    """The places of a candidate in an article."""

    body: list[tuple[int, int]] = field(default_factory=list)
    """First and last word number of each mention in the body."""
    in_title: bool = False
    """Whether the title contains it."""
