"""Removal of proclitics: a tag is written without the conjunction or preposition before its first word."""

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
    """Return the first word of a phrase without the proclitics وـ فـ بـ لـ كـ: as written, and normalised.

    `word` is the word as written and `plain` the same normalised; `beginnings` are the words that tags begin with,
    `known` all words of tags and `here` those of the text, all normalised. Proclitics before the article are always
    removed (بالرياض and للرياض → الرياض), those before a bare word only if the word is not among `beginnings` and the
    rest is among `known` or `here` (وموسكو → موسكو, but لبنان stays).
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
    """Return a word as written and normalised; a ligature (ﻻ) through which the cut went is whole in both."""
    return word, normalise(word)
