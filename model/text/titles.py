"""Names of persons: what joins their parts, and titles before them."""

from __future__ import annotations

from collections.abc import Container, Sequence

from wusum.model.text.words import PROCLITICS

NAME_JOINER = "بن"
"""Joins the parts of a name: neither محمد nor سلمان alone is the name of محمد بن سلمان."""

PARTICLES = {"من", "في", "علي", "عن", "الي", "مع", "بين", "ضد", "غير", "عبر", "حول", "بعد", "قبل", "منذ", "حتي", "دون",
              "خلال", "اثناء", "عند", "ضمن", "وسط", "وفق", "بسبب", "كل", "بعض", "هذا", "هذه", "ذلك", "تلك",
              "هؤلاء"}  # fmt: skip
"""Prepositions, quantifiers and demonstratives, with which neither a name nor a subject begins."""


def title_length(parts: Sequence[str], known: Container[str]) -> int:
    """Count the words with an article that stand before a name: two in «الوزير الروسي سيرغي لافروف».

    There are none before a preposition: «الاتحاد الدولي لكرة القدم», where ل comes off a `known` word, is no name.
    """
    start = next((n for n, part in enumerate(parts) if not part.startswith("ال")), 0)
    if start and len(parts) - start > 1:
        first = parts[start]
        if not (first in PARTICLES or (first[0] in PROCLITICS and first[1:] in known)):
            return start
    return 0
