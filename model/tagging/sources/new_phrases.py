"""Phrases of an article that no editor has given before: which of them may be tags, and in which form."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import NamedTuple

from wusum.model.network.spans import KINDS, Phrase
from wusum.model.tagging.sources.key_phrases import SON, key_phrases
from wusum.model.tagging.vocabulary import Entry, Mentions, Vocabulary
from wusum.model.text.lexicon import PROCLITICS, Lexicon, Text
from wusum.model.text.proclitics import without_proclitics

_POSSESSED = re.compile(r"(?!ال)\w{3,}(?:ها|هم|هما|هن)")
"""A word with a pronoun of the third person, which has no article: قيادتها, عزائمهم, but not الأسهم."""

_POINTING = re.compile(r"(?<!\w)(?!ال)\w{3,}ته(?!\w)|ا\u064b|\u064bا")
"""What is seen only before a word is normalised: the pronoun of the masculine, told from ة (جولته, but not سيارة), and
an indefinite accusative that is written out (ثالثاً)."""

_ADVERBIAL = re.compile(r"[وف]?[بك]ال\w{3,}|فال\w{3,}")
"""A word with a preposition and the article: بالمعسكر."""

_ARTICLES = ("ال", "لل")

_OPEN = frozenset({SON, "ابن", "بنت", "ابو", "ابي", "عبد", "ام", "ال", "ذو", "ذي", "ذات", "غير"})
"""Words that no phrase ends with."""

_PARTICLES = {"من", "في", "علي", "عن", "الي", "مع", "بين", "ضد", "غير", "عبر", "حول", "بعد", "قبل", "منذ", "حتي", "دون",
              "خلال", "اثناء", "عند", "ضمن", "وسط", "وفق", "بسبب", "كل", "بعض", "هذا", "هذه", "ذلك", "تلك",
              "هؤلاء"}  # fmt: skip
"""Prepositions and the like, which neither begin a name nor a subject; and what points at something."""


class Form(NamedTuple):
    """A phrase as it is written, and its words, normalised."""

    text: str
    words: list[str]


def coined(
    title: Text, body: Text, marked: Mapping[str, Phrase], lexicon: Lexicon, known: Vocabulary
) -> tuple[Vocabulary, dict[str, Phrase]]:
    """The new phrases of an article, as entries of which nothing is known, and what the span head has marked.

    New phrases are those of the span head and those told by TF-IDF. The second are by match key: both of the phrase as
    it was marked and as it would be a tag.
    """
    here = {lexeme.text for text in (title, body) for lexeme in text.lexemes}
    found = dict(marked)
    new: dict[str, Entry] = {}
    places: list[tuple[Text, int, int, Phrase | None]] = []
    for phrase in marked.values():
        usual = lexicon.read(max(phrase.forms, key=phrase.forms.__getitem__))
        places.append((usual, 0, len(usual.lexemes) - 1, phrase))
    places += [(*place, None) for place in key_phrases(title, body)]
    for text, first, last, marking in places:
        # What the span head has marked goes to its end, which may be a sign: C++.
        end = text.ends[last] if marking is None else len(text.written)
        form = _as_tag(text, first, last, end, known, here)
        lexemes = [lexicon[word] for word in form.words]
        key = " ".join([lexeme.readings[0] for lexeme in lexemes])
        if marking is not None:
            found.setdefault(key, marking)
        if key in known or key in new or not sound(form, known.spellings):
            continue
        named = marking is not None and marking.odds[KINDS.index("name")] > 0
        clause = told(form.words) or any(lexeme.verb for lexeme in lexemes)
        if named or not (clause or _joined(form.words[0], known.spellings)):
            new[key] = Entry(key, form.text, 0, 0, 0, -1)
    return Vocabulary(new.values()), found


def _as_tag(text: Text, first: int, last: int, end: int, known: Vocabulary, here: Container[str]) -> Form:
    """A phrase of a text, from one word to another and up to the character `end`, without what is stuck to its first
    word, or is a title before a name."""
    parts = [lexeme.text for lexeme in text.lexemes[first : last + 1]]
    opening, parts[0] = without_proclitics(text.slice(first, first), parts[0], known.beginnings, known.spellings, here)
    if titles := title_length(parts, known.spellings):
        return Form(text.written[text.starts[first + titles] : end], parts[titles:])
    return Form(opening + text.written[text.ends[first] : end], parts)


def title_length(parts: Sequence[str], known: Container[str]) -> int:
    """How many words with an article stand before a name: two in «الوزير الروسي سيرغي لافروف».

    What goes on with a preposition is no name: none in «الاتحاد الدولي لكرة القدم», as ل comes off a known word.
    """
    start = next((n for n, part in enumerate(parts) if not part.startswith("ال")), 0)
    if start and len(parts) - start > 1:
        first = parts[start]
        if not (first in _PARTICLES or (first[0] in PROCLITICS and first[1:] in known)):
            return start
    return 0


def sound(form: Form, known: Container[str]) -> bool:
    """Whether a phrase can stand alone as a name or a subject: nothing in it points outside, and nothing is cut."""
    parts = form.words
    if not parts or parts[0] == SON or parts[0] in _PARTICLES or parts[-1] in _OPEN:
        return False
    if parts[0][0].isdigit():  # a number or a year: 2014م
        return False
    if _POINTING.search(form.text) or any(map(_POSSESSED.fullmatch, parts)):
        return False
    return not any(_ADVERBIAL.fullmatch(part) or _joined(part, known) for part in parts[1:] if part[0] in PROCLITICS)


def told(parts: Sequence[str]) -> bool:
    """Whether one word without an article follows words with it, as in a sentence (اللقاح آمن) or after a title
    (الملك سلمان)."""
    return len(parts) > 1 and not parts[-1].startswith(_ARTICLES) and all(p.startswith(_ARTICLES) for p in parts[:-1])


def _joined(word: str, known: Container[str]) -> bool:
    """Whether a word begins with a conjunction, as far as known words tell: وديقاو, but وزير is one."""
    return word.startswith("و") and not word.startswith("وال") and len(word) > 3 and word not in known


def uncut(mentions: Mentions, body: Text) -> Iterator[tuple[int, int]]:
    """The mentions in a body that do not begin or end in the middle of a name: not «محمد علي» in «خالد بن محمد علي»."""
    words = body.lexemes
    for first, last in mentions.body:
        before, after = words[first - 1].text if first else "", words[last + 1].text if last + 1 < len(words) else ""
        if SON not in (before, after):
            yield first, last
