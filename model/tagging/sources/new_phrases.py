"""Phrases of an article that no training article has as a tag: which of them may be tags, and in which form."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from wusum.model.network.outputs import KINDS, MIN_LOG_ODDS, Phrase
from wusum.model.tagging.candidates import Candidate, Candidates, Columns, Document, Feature, standing
from wusum.model.tagging.entry import Entry, Mentions
from wusum.model.tagging.tag_words import TagWords
from wusum.model.tagging.vocabulary import Vocabulary
from wusum.model.text.lexicon import Lexicon, TokenisedText
from wusum.model.text.proclitics import without_proclitics
from wusum.model.text.titles import NAME_JOINER, PARTICLES, title_length
from wusum.model.text.words import PROCLITICS

_POSSESSED = re.compile(r"(?!ال)\w{3,}(?:ها|هم|هما|هن)")
"""A word with a pronoun of the third person, which has no article: قيادتها, عزائمهم, but not الأسهم."""

_ANAPHORIC = re.compile(r"(?<!\w)(?!ال)\w{3,}ته(?!\w)|ا\u064b|\u064bا")
"""Signs that normalisation erases: the masculine pronoun, distinct from ة (جولته, but not سيارة), and an indefinite
accusative that is written out (ثالثاً)."""

_ADVERBIAL = re.compile(r"[وف]?[بك]ال\w{3,}|فال\w{3,}")
"""A word with a preposition and the article: بالمعسكر."""

_ARTICLES = ("ال", "لل")

_OPEN = frozenset({NAME_JOINER, "ابن", "بنت", "ابو", "ابي", "عبد", "ام", "ال", "ذو", "ذي", "ذات", "غير"})
"""Words with which no phrase ends."""


class Form(NamedTuple):
    """A phrase as written, and its normalised words."""

    text: str
    words: list[str]


class SpanScores:
    """Measures how sure the span head is of each candidate; proposes nothing."""

    features = (
        Feature("phrase", "log odds under the span head that it is a key phrase", from_network=True),
        Feature("name", "log odds under the span head that it is a name", from_network=True),
    )

    def propose(self, document: Document) -> Iterable[Candidate]:
        """Propose nothing: `NewPhrases` proposes marked phrases."""
        return ()

    def measure(self, document: Document, candidates: Candidates) -> Columns:
        """Return the log odds of each kind of span."""
        return span_columns(document.output.phrases, candidates)


class Place(NamedTuple):
    """Words `first` to `last` of a text, and the phrase of the span head if it marked them."""

    text: TokenisedText
    first: int
    last: int
    phrase: Phrase | None = None


Finder = Callable[[Document, Lexicon, TagWords], Iterable[Place]]
"""Finds phrases of a document that may be tags, best first."""


def marked_phrases(document: Document, lexicon: Lexicon, _: TagWords) -> Iterable[Place]:
    """Return the phrases that the span head marked, in their most frequent form."""
    for phrase in document.output.phrases.values():
        usual = lexicon.tokenise(max(phrase.forms, key=phrase.forms.__getitem__))
        yield Place(usual, 0, len(usual.lexemes) - 1, phrase)


def likely_phrases(document: Document, _: Lexicon, tag_words: TagWords) -> Iterable[Place]:
    """Return the phrases whose words most likely make a tag."""
    return (Place(text, first, last) for _, text, first, last in tag_words.phrases(document))


class NewPhrases:
    """Proposes phrases that the span head marks or whose words make tags elsewhere, and that the vocabulary lacks."""

    features = SpanScores.features

    def __init__(
        self,
        lexicon: Lexicon,
        known: Vocabulary,
        tag_words: TagWords,
        finders: Sequence[Finder] = (marked_phrases, likely_phrases),
    ) -> None:
        """Propose what `finders` find and what is not in `known`."""
        self._lexicon, self._known, self._tag_words, self._finders = lexicon, known, tag_words, finders

    def propose(self, document: Document) -> Iterable[Candidate]:
        """Return the new phrases in order of their first mention."""
        vocabulary, _ = document.memo(self, self._find)
        for candidate in standing(vocabulary, document):
            if not candidate.mentions.body or any(uncut(candidate.mentions, document.body)):
                yield candidate

    def measure(self, document: Document, candidates: Candidates) -> Columns:
        """Return the log odds of each kind of span."""
        return span_columns(document.memo(self, self._find)[1], candidates)

    def _find(self, document: Document) -> tuple[Vocabulary, Mapping[str, Phrase]]:
        """Return the new phrases as entries without counts, and the marked phrases by match key.

        A marked phrase is in the second result under the key of the phrase as marked and under that of the tag it would
        become.
        """
        known = self._known
        here = {lexeme.text for text in (document.title, document.body) for lexeme in text.lexemes}
        found = dict(document.output.phrases)
        new: dict[str, Entry] = {}
        for finder in self._finders:
            for place in finder(document, self._lexicon, self._tag_words):
                form = _as_tag(place, known, here)
                lexemes = [self._lexicon[word] for word in form.words]
                key = " ".join([lexeme.readings[0] for lexeme in lexemes])
                if place.phrase is not None:
                    found.setdefault(key, place.phrase)
                if key in known or key in new or not is_complete(form, known.spellings):
                    continue
                named = place.phrase is not None and place.phrase.log_odds[KINDS.index("name")] > 0
                clause = is_predication(form.words) or any(lexeme.is_verb for lexeme in lexemes)
                if named or not (clause or _has_conjunction(form.words[0], known.spellings)):
                    new[key] = Entry(key, form.text, 0, 0, 0, -1)
        return Vocabulary(new.values()), found


def span_columns(phrases: Mapping[str, Phrase], candidates: Candidates) -> Columns:
    """Return the log odds [candidates] of each kind of span for candidates with these match keys."""
    odds = np.full((len(candidates), len(KINDS)), MIN_LOG_ODDS)
    for number, key in enumerate(candidates.keys):
        if phrase := phrases.get(key):
            odds[number] = phrase.log_odds
    return dict(zip(KINDS, odds.T, strict=True))


def _as_tag(place: Place, known: Vocabulary, here: Container[str]) -> Form:
    """Return a phrase in the form of a tag: no proclitic on its first word and no title before a name."""
    text, first, last, phrase = place
    # A marked phrase goes to its end, which may be a sign: C++.
    end = text.ends[last] if phrase is None else len(text.text)
    parts = [lexeme.text for lexeme in text.lexemes[first : last + 1]]
    opening, parts[0] = without_proclitics(text.slice(first, first), parts[0], known.beginnings, known.spellings, here)
    if titles := title_length(parts, known.spellings):
        return Form(text.text[text.starts[first + titles] : end], parts[titles:])
    return Form(opening + text.text[text.ends[first] : end], parts)


def is_complete(form: Form, known: Container[str]) -> bool:
    """Whether a phrase can stand alone as a name or subject: nothing in it refers outside, and nothing is cut off."""
    parts = form.words
    if not parts or parts[0] == NAME_JOINER or parts[0] in PARTICLES or parts[-1] in _OPEN:
        return False
    if parts[0][0].isdigit():  # a number or a year: 2014م
        return False
    if _ANAPHORIC.search(form.text) or any(map(_POSSESSED.fullmatch, parts)):
        return False
    return not any(
        _ADVERBIAL.fullmatch(part) or _has_conjunction(part, known) for part in parts[1:] if part[0] in PROCLITICS
    )


def is_predication(parts: Sequence[str]) -> bool:
    """Whether one word without an article follows words with it.

    It does in a clause (اللقاح آمن) and after a title (الملك سلمان).
    """
    return len(parts) > 1 and not parts[-1].startswith(_ARTICLES) and all(p.startswith(_ARTICLES) for p in parts[:-1])


def _has_conjunction(word: str, known: Container[str]) -> bool:
    """Whether a word begins with a conjunction, judged by the known words: وديقاو does, وزير does not."""
    return word.startswith("و") and not word.startswith("وال") and len(word) > 3 and word not in known


def uncut(mentions: Mentions, body: TokenisedText) -> Iterator[tuple[int, int]]:
    """Yield the mentions in a body that are not part of a longer name: not «محمد علي» in «خالد بن محمد علي»."""
    words = body.lexemes
    for first, last in mentions.body:
        before, after = words[first - 1].text if first else "", words[last + 1].text if last + 1 < len(words) else ""
        if NAME_JOINER not in (before, after):
            yield first, last
