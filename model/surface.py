"""How a phrase is written as a tag: without the conjunction or preposition that is stuck to it."""

from __future__ import annotations

import re
from collections.abc import Container

from wusum.model.text import MIN_STEM, align, phrase_words
from wusum.model.vocabulary import PROCLITICS

_BEFORE_ARTICLE = re.compile(r"[وف]?[بك]?(?=ال)|[وف]?لل")
_BEFORE_BARE = re.compile(r"[وف]?[بلك]|[وف]")


def without_proclitics(phrase: str, beginnings: Container[str], known: Container[str], here: Container[str]) -> str:
    """A phrase of a text without وـ فـ بـ لـ كـ before its first word.

    Before the article they always go (بالرياض and للرياض → الرياض). Before a bare word they go where it is not
    among the words that tags begin with (`beginnings`, in `normalise`'s spelling), and what is left of it is among the
    `known` words or those that stand `here`, in the same article (وموسكو → موسكو, but لبنان stays).
    """
    word = phrase_words(phrase)[0]
    if word.text[0] not in PROCLITICS:
        return phrase[word.start :]

    def rest_from(letter: int) -> str:
        return phrase[word.start + align(phrase[word.start : word.end]).starts[letter] :]

    if (found := _BEFORE_ARTICLE.match(word.text)) and (cut := found.end()):
        joined = found.group().endswith("لل")
        if len(word.text) - cut - (0 if joined else len("ال")) >= MIN_STEM:
            return ("ال" if joined else "") + rest_from(cut)
    if word.text not in beginnings:
        for cut in (1, 2):
            rest = word.text[cut:]
            if _BEFORE_BARE.fullmatch(word.text[:cut]) and len(rest) >= MIN_STEM and (rest in known or rest in here):
                return rest_from(cut)
    return phrase[word.start :]
