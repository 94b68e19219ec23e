"""How a phrase is written as a tag: without the conjunction or preposition that is stuck to its first word."""

from __future__ import annotations

import re
from collections.abc import Container

from wusum.model.text.normalisation import align, normalise
from wusum.model.text.words import MIN_STEM, PROCLITICS

_BEFORE_ARTICLE = re.compile(r"[وف]?[بك]?(?=ال)|[وف]?لل")
_BEFORE_BARE = re.compile(r"[وف]?[بلك]|[وف]")


def without_proclitics(
    word: str, plain: str, beginnings: Container[str], known: Container[str], here: Container[str]
) -> tuple[str, str]:
    """The first word of a phrase without وـ فـ بـ لـ كـ before it, as it is written and, from `plain`, normalised.

    Before the article they always go (بالرياض and للرياض → الرياض). Before a bare word they go where it is not
    among the words that tags begin with (`beginnings`, normalised), and what is left of it is among the `known` words
    or those that stand `here`, in the same article (وموسكو → موسكو, but لبنان stays).
    """
    if plain[0] not in PROCLITICS:
        return word, plain
    if (found := _BEFORE_ARTICLE.match(plain)) and (cut := found.end()):
        article = "ال" if found.group().endswith("لل") else ""
        if len(plain) - cut - len("ال" if not article else "") >= MIN_STEM:
            return _spelt(article + word[align(word).starts[cut] :])
    if plain not in beginnings:
        for cut in (1, 2):
            rest = plain[cut:]
            if _BEFORE_BARE.fullmatch(plain[:cut]) and len(rest) >= MIN_STEM and (rest in known or rest in here):
                return _spelt(word[align(word).starts[cut] :])
    return word, plain


def _spelt(word: str) -> tuple[str, str]:
    """A word as it is written and normalised: a ligature (ﻻ) stays whole where a cut would go through it."""
    return word, normalise(word)
