"""Disturbances: changes to articles as scrapers and typists make them."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace

from wusum.train.data.corpora import Example

Disturbance = Callable[[Example, random.Random], Example]
"""Returns a changed article; draws all random choices from the generator."""

_LETTERS = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"
_MARKS = "\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652"
_PUNCTUATION = "،؛.:!؟…"
_DIGITS = str.maketrans("0123456789٠١٢٣٤٥٦٧٨٩", "٠١٢٣٤٥٦٧٨٩0123456789")
_HAMZA = str.maketrans("أإآؤئ", "اااوي")


def drop_title(example: Example, rng: random.Random) -> Example:
    """Drop the title."""
    return replace(example, title="")


def cut(words: int) -> Disturbance:
    """Return a disturbance that cuts the body after `words` words."""

    def cut_body(example: Example, rng: random.Random) -> Example:
        return replace(example, body=" ".join(example.body.split()[:words]))

    return cut_body


def in_title_and_body(change: Callable[[str, random.Random], str]) -> Disturbance:
    """Return a disturbance that changes the text of title and body."""

    def change_both(example: Example, rng: random.Random) -> Example:
        return replace(example, title=change(example.title, rng), body=change(example.body, rng))

    return change_both


def drop_punctuation(text: str, rng: random.Random) -> str:
    """Replace every punctuation mark by a space."""
    return "".join(" " if unicodedata.category(c).startswith("P") else c for c in text)


def add_punctuation(text: str, rng: random.Random) -> str:
    """Add a random punctuation mark after about every fifth word."""
    return re.sub(r"(?<=\w)(?=\s|$)", lambda m: rng.choice(_PUNCTUATION) if rng.random() < 0.2 else "", text)


def add_diacritics(text: str, rng: random.Random) -> str:
    """Add a random diacritic to about every third Arabic letter."""
    return re.sub(r"[ء-ي]", lambda m: m.group() + (rng.choice(_MARKS) if rng.random() < 1 / 3 else ""), text)


def drop_diacritics(text: str, rng: random.Random) -> str:
    """Drop the diacritics that an outlet writes, such as tanwin and shadda."""
    return text.translate(dict.fromkeys(map(ord, _MARKS)))


def drop_hamza(text: str, rng: random.Random) -> str:
    """Drop every hamza, and replace ة by ه at the end of half of its words, as hurried typists do."""
    plain = text.translate(_HAMZA)
    return re.sub(r"ة\b", lambda m: "ه" if rng.random() < 0.5 else m.group(), plain)


def swap_digits(text: str, rng: random.Random) -> str:
    """Replace European digits by Arabic ones and vice versa."""
    return text.translate(_DIGITS)


def add_noise(text: str, rng: random.Random) -> str:
    """Drop, double, replace or swap with the next 5% of the letters."""
    letters = list(text)
    for i, letter in enumerate(letters):
        if not letter.isalpha() or rng.random() >= 0.05:
            continue
        kind = rng.randrange(4)
        if kind == 0:
            letters[i] = ""
        elif kind == 1:
            letters[i] = letter * 2
        elif kind == 2:
            letters[i] = rng.choice(_LETTERS)
        elif i + 1 < len(letters):
            letters[i], letters[i + 1] = letters[i + 1], letter
    return "".join(letters)


DISTURBANCES: dict[str, Disturbance] = {
    "as it is": lambda example, rng: example,
    "no title": drop_title,
    "50 words": cut(50),
    "100 words": cut(100),
    "200 words": cut(200),
    "no punctuation": in_title_and_body(drop_punctuation),
    "more punctuation": in_title_and_body(add_punctuation),
    "diacritics": in_title_and_body(add_diacritics),
    "no diacritics": in_title_and_body(drop_diacritics),
    "no hamza": in_title_and_body(drop_hamza),
    "digits swapped": in_title_and_body(swap_digits),
    "5% noise": in_title_and_body(add_noise),
}


def disturb(name: str, example: Example) -> Example:
    """Return an article after a disturbance; an article is always changed in the same way."""
    return DISTURBANCES[name](example, random.Random(f"{name} {example.id}"))
