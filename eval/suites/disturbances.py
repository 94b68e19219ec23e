"""Articles as scrapers and typists leave them: what each disturbance does to one."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace

from wusum.train.data.corpora import Example

Disturbance = Callable[[Example, random.Random], Example]

_LETTERS = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"
_MARKS = "\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652"
_PUNCTUATION = "،؛.:!؟…"
_DIGITS = str.maketrans("0123456789٠١٢٣٤٥٦٧٨٩", "٠١٢٣٤٥٦٧٨٩0123456789")
_HAMZA = str.maketrans("أإآؤئ", "اااوي")


def untitled(example: Example, chance: random.Random) -> Example:
    """Without its title."""
    return replace(example, title="")


def cut(words: int) -> Disturbance:
    """Its body cut after so many words."""

    def cut_body(example: Example, chance: random.Random) -> Example:
        return replace(example, body=" ".join(example.body.split()[:words]))

    return cut_body


def everywhere(change: Callable[[str, random.Random], str]) -> Disturbance:
    """The same change in title and body."""

    def changed(example: Example, chance: random.Random) -> Example:
        return replace(example, title=change(example.title, chance), body=change(example.body, chance))

    return changed


def unpunctuated(text: str, chance: random.Random) -> str:
    """All punctuation gone."""
    return "".join(" " if unicodedata.category(c).startswith("P") else c for c in text)


def punctuated(text: str, chance: random.Random) -> str:
    """A mark of punctuation after about every fifth word, wherever that may be."""
    return re.sub(r"(?<=\w)(?=\s|$)", lambda m: chance.choice(_PUNCTUATION) if chance.random() < 0.2 else "", text)


def vocalised(text: str, chance: random.Random) -> str:
    """A mark on about every third Arabic letter."""
    return re.sub(r"[ء-ي]", lambda m: m.group() + (chance.choice(_MARKS) if chance.random() < 1 / 3 else ""), text)


def unvocalised(text: str, chance: random.Random) -> str:
    """The marks that an outlet writes, such as those of tanwin and shadda, left out."""
    return text.translate(dict.fromkeys(map(ord, _MARKS)))


def without_hamza(text: str, chance: random.Random) -> str:
    """Hamzas left out, as hurried typists do, and ة for ه at the end of half of the words."""
    plain = text.translate(_HAMZA)
    return re.sub(r"ة\b", lambda m: "ه" if chance.random() < 0.5 else m.group(), plain)


def swapped_digits(text: str, chance: random.Random) -> str:
    """European digits for Arabic ones and the other way round."""
    return text.translate(_DIGITS)


def noisy(text: str, chance: random.Random) -> str:
    """Of the letters 5% left out, doubled, changed for another or swapped with the next."""
    letters = list(text)
    for i, letter in enumerate(letters):
        if not letter.isalpha() or chance.random() >= 0.05:
            continue
        kind = chance.randrange(4)
        if kind == 0:
            letters[i] = ""
        elif kind == 1:
            letters[i] = letter * 2
        elif kind == 2:
            letters[i] = chance.choice(_LETTERS)
        elif i + 1 < len(letters):
            letters[i], letters[i + 1] = letters[i + 1], letter
    return "".join(letters)


DISTURBANCES: dict[str, Disturbance] = {
    "as it is": lambda example, chance: example,
    "no title": untitled,
    "50 words": cut(50),
    "100 words": cut(100),
    "200 words": cut(200),
    "no punctuation": everywhere(unpunctuated),
    "more punctuation": everywhere(punctuated),
    "diacritics": everywhere(vocalised),
    "no diacritics": everywhere(unvocalised),
    "no hamza": everywhere(without_hamza),
    "digits swapped": everywhere(swapped_digits),
    "5% noise": everywhere(noisy),
}


def disturbed(name: str, example: Example) -> Example:
    """An article after a disturbance, the same way each time."""
    return DISTURBANCES[name](example, random.Random(f"{name} {example.id}"))
