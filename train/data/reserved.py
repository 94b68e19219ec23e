"""Articles that are kept for tests: no corpus may train on them, or on others of an outlet that must stay unseen.

Annotated articles are articles of the other corpora, but have splits of their own. What is a training article in its
corpus may be an annotated test article, under the same id or as a near-duplicate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from wusum.model.text.normalisation import normalise

KEY_LETTERS = 120
"""Letters at the start of a body that near-duplicates share."""

_KEY_CHARS = 400
"""Characters among which they are looked for."""

_KEPT_FROM = {"train": {"validation", "test"}, "validation": {"test"}}
"""The splits of annotated articles that may not be among those of a split."""


def text_key(text: str) -> str:
    """Return the first letters of a body, normalised, without spaces, digits and punctuation."""
    return "".join(filter(str.isalpha, normalise(text[:_KEY_CHARS])))[:KEY_LETTERS]


@dataclass(frozen=True, slots=True)
class Reserved:
    """Which articles are kept from the training and validation splits of the corpora."""

    splits: Mapping[str, str]
    """The split of each annotated article, by its id and by the key of its text."""
    outlets: frozenset[str]
    """Outlets none of whose articles may be seen."""

    @classmethod
    def of(cls, annotated: Iterable[Mapping[str, Any]], others: Iterable[Mapping[str, Any]] = ()) -> Reserved:
        """Return what annotated rows reserve: `id`, `text`, `split`, and `outlet` if `unseen_outlet` is set.

        `others` are annotated rows without text, `id` and `split`.
        """
        splits, outlets = {row["id"]: row["split"] for row in others}, set()
        for row in annotated:
            splits[row["id"]] = splits[text_key(row["text"])] = row["split"]
            if row.get("unseen_outlet"):
                outlets.add(row["outlet"])
        splits.pop("", None)  # the key of a text without letters
        return cls(splits, frozenset(outlets))

    def keeps(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row is kept from the split that its corpus gives it; no row is kept from a test split."""
        kept = _KEPT_FROM.get(row.get("split") or "")
        if not kept:
            return False
        if row.get("outlet") in self.outlets or self.splits.get(row["id"]) in kept:
            return True
        return self.splits.get(text_key(row.get("text") or "")) in kept
