"""Phrases of an article that no editor has given before: which of them may be tags, and in which form."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence

from wusum.model.rarity import SON, Rarity, key_phrases
from wusum.model.spans import KINDS, Phrase
from wusum.model.surface import without_proclitics
from wusum.model.text import Word, phrase_words, strip_clitics
from wusum.model.vocabulary import PROCLITICS, Entry, Mentions, Vocabulary

_POSSESSED = re.compile(r"(?!ال)\w{3,}(?:ها|هم|هما|هن)")
"""A word with a pronoun of the third person, which has no article: قيادتها, عزائمهم, but not الأسهم."""

_HIS = re.compile(r"(?<!\w)(?!ال)\w{3,}ته(?!\w)")
"""That of the masculine, which is told from ة only before it is normalised: جولته, but not سيارة."""

_ADVERBIAL = re.compile(r"[وف]?[بك]ال\w{3,}|فال\w{3,}")
"""A word with a preposition and the article: بالمعسكر."""

_ADVERB = re.compile(r"ا\u064b|\u064bا")
"""An indefinite accusative that is written out: ثالثاً."""

_OPEN = frozenset({SON, "ابن", "بنت", "ابو", "ابي", "عبد", "ام", "ال", "ذو", "ذي", "ذات", "غير"})
"""Words that no phrase ends with."""

_PARTICLES = {"من", "في", "علي", "عن", "الي", "مع", "بين", "ضد", "غير", "عبر", "حول", "بعد", "قبل", "منذ", "حتي", "دون",
              "خلال", "اثناء", "عند", "ضمن", "وسط", "وفق", "بسبب", "كل", "بعض", "هذا", "هذه", "ذلك", "تلك",
              "هؤلاء"}  # fmt: skip
"""Prepositions and the like, which neither begin a name nor a subject; and what points at something."""


def coined(
    title: str,
    title_words: Sequence[Word],
    body: str,
    body_words: Sequence[Word],
    marked: Mapping[str, Phrase],
    rarity: Rarity,
    known: Vocabulary,
) -> tuple[Vocabulary, dict[str, Phrase]]:
    """The new phrases of an article, as entries of which nothing is known, and what the span head has marked.

    New phrases are those of the span head and those told by TF-IDF. The second are by match key: both of the phrase as
    it was marked and as it would be a tag.
    """
    here = {word.text for part in (title_words, body_words) for word in part}
    found = dict(marked)
    new: dict[str, Entry] = {}
    forms: list[tuple[str, Phrase | None]] = [(phrase.forms.most_common(1)[0][0], phrase) for phrase in marked.values()]
    forms += [(form, None) for form in key_phrases(rarity, title, title_words, body, body_words)]
    for form, phrase in forms:
        text = without_title(without_proclitics(form, known.beginnings, known.spellings, here), known.spellings)
        key = " ".join(strip_clitics(word.text) for word in phrase_words(text))
        if phrase is not None:
            found.setdefault(key, phrase)
        if key in known or key in new or not sound(text, known.spellings):
            continue
        named = phrase is not None and phrase.odds[KINDS.index("name")] > 0
        parts = phrase_words(text)
        clause = told(text) or any(rarity.is_verb(word.text) for word in parts)
        if named or not (clause or _joined(parts[0].text, known.spellings)):
            new[key] = Entry(key, text, 0, 0, 0, -1)
    return Vocabulary(new.values()), found


def without_title(phrase: str, known: Container[str]) -> str:
    """A name without the words with an article before it: of «الوزير الروسي سيرغي لافروف» the last two.

    What goes on with a preposition is no name: «الاتحاد الدولي لكرة القدم» stays, as ل comes off a known word.
    """
    parts = phrase_words(phrase)
    start = next((n for n, part in enumerate(parts) if not part.text.startswith("ال")), 0)
    if start and len(parts) - start > 1:
        first = parts[start].text
        if not (first in _PARTICLES or (first[0] in PROCLITICS and first[1:] in known)):
            return phrase[parts[start].start :]
    return phrase


def sound(phrase: str, known: Container[str]) -> bool:
    """Whether a phrase can stand alone as a name or a subject: nothing in it points outside, and nothing is cut."""
    parts = [word.text for word in phrase_words(phrase)]
    if not parts or parts[0] == SON or parts[0] in _PARTICLES or parts[-1] in _OPEN:
        return False
    if parts[0][0].isdigit():  # a number or a year: 2014م
        return False
    if _ADVERB.search(phrase) or _HIS.search(phrase) or any(_POSSESSED.fullmatch(part) for part in parts):
        return False
    return not any(_ADVERBIAL.fullmatch(part) or _joined(part, known) for part in parts[1:])


def told(phrase: str) -> bool:
    """Whether one word without an article follows words with it, as in a sentence (اللقاح آمن) or after a title
    (الملك سلمان)."""
    definite = [part.text.startswith(("ال", "لل")) for part in phrase_words(phrase)]
    return len(definite) > 1 and not definite[-1] and all(definite[:-1])


def _joined(word: str, known: Container[str]) -> bool:
    """Whether a word begins with a conjunction, as far as known words tell: وديقاو, but وزير is one."""
    return word.startswith("و") and not word.startswith("وال") and len(word) > 3 and word not in known


def uncut(mentions: Mentions, text: Sequence[Word]) -> Iterator[tuple[int, int]]:
    """The mentions in a body that do not begin or end in the middle of a name: not «محمد علي» in «خالد بن محمد علي»."""
    for first, last in mentions.body:
        before, after = text[first - 1].text if first else "", text[last + 1].text if last + 1 < len(text) else ""
        if SON not in (before, after):
            yield first, last
