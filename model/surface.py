"""How a phrase is written as a tag: without the conjunction or preposition that is stuck to it."""

from __future__ import annotations

from collections.abc import Container

from wusum.model.text import MIN_STEM, align, words

_WITH_ARTICLE = ("وال", "بال", "كال", "فال")
_SINGLE = "وفبلك"


def without_proclitics(phrase: str, known: Container[str], here: Container[str]) -> str:
    """A phrase of a text without وـ فـ بـ لـ كـ before its first word.

    Before the article they always go (بالرياض → الرياض, للرياض → الرياض). Before a bare word they go where it is not
    among the `known` words, in `normalise`'s spelling, and what is left of it is among those or the words that
    stand `here`, in the same article (وموسكو → موسكو, but لبنان stays).
    """
    while found := words(phrase):
        word = found[0]
        if word.text.startswith(_WITH_ARTICLE) and len(word.text) - 3 >= MIN_STEM:
            cut, put = 1, ""
        elif word.text.startswith("لل") and len(word.text) - 2 >= MIN_STEM:
            cut, put = 2, "ال"
        elif (
            word.text[0] in _SINGLE and len(word.text) > MIN_STEM and word.text not in known
            and (word.text[1:] in known or word.text[1:] in here)
        ):  # fmt: skip
            cut, put = 1, ""
        else:
            return phrase[word.start :]
        phrase = put + phrase[word.start + align(phrase[word.start : word.end]).starts[cut] :]
    return phrase
