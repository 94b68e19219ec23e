"""Keyword tags: candidates from five sources, ranked by one small model.

A candidate is a tag that editors have given before and that stands in the article, one that the network's tag head
predicts, one that similar articles were given, or a phrase that the span head marks or that is frequent here and rare
elsewhere, which both may be new. What an editor would do with it is told by a few features that anyone can read
(`ranking.py`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wusum.model.memory import UNHEARD, Memory, Vote
from wusum.model.ranking import FEATURES, Ranking
from wusum.model.rarity import Rarity, key_phrases
from wusum.model.reading import Reading
from wusum.model.spans import UNMARKED, Phrase
from wusum.model.surface import without_proclitics
from wusum.model.text import Word, align, match_key, words
from wusum.model.vocabulary import Entry, Mentions, Vocabulary

HEAD_CANDIDATES = 60
"""Tags that the head may propose for an article."""

MEMORY_CANDIDATES = 30
"""Tags that similar articles may propose."""

PREFERRED = 0.5
"""Part of the score of a name that its fuller form must have to stand for it."""

LAST_RANK = 30
"""Where the ranks by TF-IDF end: behind it all are equal."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A keyword tag. `spans` are its mentions in the body, as offsets into the given text; empty if it has none."""

    text: str
    score: float
    spans: tuple[tuple[int, int], ...] = ()
    id: str | None = None
    """Its id in a controlled vocabulary that has ids."""
    why: dict[str, float] | None = None
    """What each feature adds to the log odds of the score, where that was asked for."""

    def moved(self, offset: int) -> Tag:
        """The tag of a body that begins at `offset` of the given text."""
        return replace(self, spans=tuple((start + offset, end + offset) for start, end in self.spans))

    def to_dict(self) -> dict[str, Any]:
        """As in a row of the output."""
        row = {"text": self.text, "score": self.score, "spans": [list(span) for span in self.spans]}
        row |= {} if self.id is None else {"id": self.id}
        return row | ({} if self.why is None else {"why": self.why})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A tag that an article may get."""

    entry: Entry
    mentions: Mentions
    phrase: Phrase | None = None
    """As the span head found it, if it did."""
    vote: Vote = UNHEARD
    """What similar articles say of it."""


class TagRanker:
    """Proposes and ranks the tags of an article."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        ranking: Ranking,
        threshold: float,
        absent_threshold: float,
        memory: Memory | None = None,
        remembered: Vocabulary | None = None,
        rarity: Rarity | None = None,
    ) -> None:
        """`memory` numbers its tags as `remembered` does, by default the vocabulary."""
        self.vocabulary = vocabulary
        self.memory = memory
        self.remembered = remembered or vocabulary
        self.rarity = rarity or Rarity.none()
        self.ranking = ranking
        self.threshold = threshold
        self.absent_threshold = absent_threshold

    def candidates(
        self, title: str, body: str, reading: Reading, body_words: Sequence[Word] | None = None
    ) -> tuple[list[Candidate], NDArray[np.float64]]:
        """What there is to choose from, and its features [candidates, features]."""
        title_words = words(title)
        body_words = words(body) if body_words is None else body_words
        coined = self._coined(title, title_words, body, body_words, reading.phrases)
        votes, familiar = self._votes(reading.ids)
        made: dict[str, Candidate] = {}
        for known in (self.vocabulary, coined):
            mentions = {i: Mentions(spans) for i, spans in known.find(body, body_words).items()}
            for i in known.find(title, title_words):
                mentions.setdefault(i, Mentions()).in_title = True
            for i, found in mentions.items():
                key = known.entries[i].key
                made.setdefault(
                    key, Candidate(known.entries[i], found, reading.phrases.get(key), votes.get(key, UNHEARD))
                )
        log_p = _log_softmax(reading.tags)
        likely = np.argsort(-log_p, kind="stable")[:HEAD_CANDIDATES].tolist()
        voted = sorted(votes, key=lambda key: (-votes[key].share, key))[:MEMORY_CANDIDATES]
        for known_as in [*map(self.vocabulary.of_label, likely), *map(self.vocabulary.index, voted)]:
            if known_as is not None:
                entry = self.vocabulary.entries[known_as]
                vote = votes.get(entry.key, UNHEARD)
                made.setdefault(entry.key, Candidate(entry, Mentions(), reading.phrases.get(entry.key), vote))
        whole = familiar, float(log_p.max(initial=-8.0)), math.log(1 + len(body))
        features = [
            (*_features(candidate, log_p), *whole, *_rarity(candidate, self.rarity)) for candidate in made.values()
        ]
        table = np.array(features).reshape(-1, len(FEATURES) - 1)
        rank = np.argsort(np.argsort(-table[:, -1], kind="stable"), kind="stable")
        return list(made.values()), np.column_stack([table, np.minimum(rank, LAST_RANK)])

    def _votes(self, ids: Sequence[int]) -> tuple[dict[str, Vote], float]:
        """What similar articles say of tags, by match key, and how similar the most similar is."""
        if self.memory is None:
            return {}, 0.0
        votes, familiar = self.memory.votes(ids)
        return {self.remembered.entries[tag].key: vote for tag, vote in votes.items()}, familiar

    def _coined(
        self,
        title: str,
        title_words: Sequence[Word],
        body: str,
        body_words: Sequence[Word],
        marked: Mapping[str, Phrase],
    ) -> Vocabulary:
        """The phrases that no editor has given before, as entries that nothing is known of."""
        forms = [phrase.forms.most_common(1)[0][0] for phrase in marked.values()]
        forms += key_phrases(self.rarity, title, title_words, body, body_words)
        here = {word.text for part in (title_words, body_words) for word in part}
        known = self.vocabulary.spellings
        new: dict[str, Entry] = {}
        for form in forms:
            text = without_proclitics(form, known, here)
            key = match_key(text)
            if key not in self.vocabulary:
                new.setdefault(key, Entry(key, text, 0, 0, 0, -1))
        return Vocabulary(new.values())

    def scores(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """The probability [candidates] that an editor gives a tag, from its features [candidates, features]."""
        return np.asarray(1 / (1 + np.exp(-self.ranking.log_odds(features))))

    def rank(
        self, title: str, body: str, reading: Reading, max_tags: int, min_score: float | None, *, explain: bool = False
    ) -> tuple[Tag, ...]:
        """The tags of an article, best first, with spans in its body.

        Without `min_score` the model's thresholds hold; a tag that does not stand in the article must be surer. The
        fuller name stands for its part, where the part stands nowhere else, and has the better score of both.
        """
        body_words = words(body)
        found, features = self.candidates(title, body, reading, body_words)
        scores = self.scores(features)
        canonical = fuller(found, scores)
        for part, whole in canonical.items():
            scores[whole] = max(scores[whole], scores[part])
        present, absent = (self.threshold, self.absent_threshold) if min_score is None else (min_score, min_score)
        least = np.where(features[:, FEATURES.index("present")] == 1, present, absent)
        best = sorted(range(len(found)), key=lambda n: (-scores[n], found[n].entry.key))
        good = [n for n in best if scores[n] >= least[n] and n not in canonical]
        return tuple(
            Tag(
                found[n].entry.text,
                round(float(scores[n]), 4),
                _spans(found[n], body, body_words),
                why=self._why(features[n]) if explain else None,
            )
            for n in without_repeats(found, good, max_tags)
        )

    def _why(self, features: NDArray[np.float64]) -> dict[str, float]:
        """What each feature adds to the log odds, the most telling first, and what all tags start from."""
        parts = dict(zip(FEATURES, self.ranking.parts(features[None])[0].tolist(), strict=True))
        told = {name: round(value, 3) for name, value in parts.items() if abs(value) >= 0.0005}
        return {"start": round(self.ranking.start, 3)} | dict(sorted(told.items(), key=lambda part: -abs(part[1])))


def fuller(found: Sequence[Candidate], scores: NDArray[np.float64]) -> dict[int, int]:
    """For a candidate that stands in an article only as a part of another the number of that one, the fullest of all.

    What editors have given gives way only to what they have given, too, and with at least PREFERRED of its score:
    often they prefer the short name.
    """
    places = {candidate.entry.key: n for n, candidate in enumerate(found) if candidate.mentions.body}
    chosen: dict[int, int] = {}
    for whole in sorted(places.values(), key=lambda n: -len(found[n].entry.key)):
        for key in parts(found[whole].entry.key):
            part = places.get(key)
            if part is None or len(found[part].mentions.body) > len(found[whole].mentions.body):
                continue
            known = found[whole].entry.tagged and scores[whole] >= PREFERRED * scores[part]
            if known or not found[part].entry.tagged:
                chosen.setdefault(part, chosen.get(whole, whole))
    return chosen


def without_repeats(found: Sequence[Candidate], ranked: Sequence[int], most: int) -> list[int]:
    """The first of some candidates, but for new phrases that are a part of one before or that have one as a part."""
    given: list[int] = []
    keys: set[str] = set()
    inside: set[str] = set()
    for n in ranked:
        if len(given) == most:
            break
        key = found[n].entry.key
        own = set(parts(key))
        if found[n].entry.tagged or (key not in inside and keys.isdisjoint(own)):
            given.append(n)
            keys.add(key)
            inside |= own
    return given


def parts(key: str) -> Iterator[str]:
    """The runs of words of a key that are shorter than it."""
    found = key.split(" ")
    for size in range(1, len(found)):
        for start in range(len(found) - size + 1):
            yield " ".join(found[start : start + size])


def _rarity(candidate: Candidate, rarity: Rarity) -> tuple[float, float, float]:
    """How rare its words are on average, the least rare one, and the log of TF-IDF."""
    rare = [rarity(stem) for stem in candidate.entry.key.split(" ")]
    times = len(candidate.mentions.body) + candidate.mentions.in_title
    return sum(rare) / len(rare), min(rare), math.log((times or 0.5) * sum(rare) + 0.1)


def _features(candidate: Candidate, log_p: NDArray[np.float64]) -> list[float]:
    """The beginning of a row, in the order of FEATURES."""
    entry, mentions = candidate.entry, candidate.mentions
    present = bool(mentions.body or mentions.in_title)
    head = float(log_p[entry.label]) if entry.label >= 0 else -8.0
    size = entry.key.count(" ") + 1
    phrase, name = candidate.phrase.odds if candidate.phrase else (UNMARKED, UNMARKED)
    return [
        float(present),
        math.log((entry.prior + 0.2) / (entry.present - entry.prior + 4.0)) if present else 0.0,
        math.log(max(len(mentions.body), 1)),
        math.log(2 + mentions.body[0][0]) if mentions.body else 0.0,
        float(mentions.in_title),
        head,
        head if present else 0.0,
        float(entry.label < 0),
        math.log(1 + entry.tagged),
        float(size),
        float(size == 1),
        float(entry.tagged == 1),
        phrase,
        name,
        float(entry.tagged == 0),
        math.log(0.005 + candidate.vote.share),
        candidate.vote.nearest,
    ]


def _log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    shifted = logits.astype(np.float64) - logits.max(initial=0)
    return np.asarray(shifted - np.log(np.exp(shifted).sum()))


def _spans(candidate: Candidate, body: str, text: Sequence[Word]) -> tuple[tuple[int, int], ...]:
    """Offsets of the mentions, a stuck conjunction or preposition left out where the tag goes without."""
    opening = words(candidate.entry.text)[0].text
    forms = [opening, f"ال{opening}", *([f"ل{opening[2:]}"] if opening.startswith("ال") else [])]  # الأردن in للأردن
    spans = []
    for first, last in candidate.mentions.body:
        word, start = text[first], text[first].start
        for form in forms:
            if word.text.endswith(form):
                start += align(body[word.start : word.end]).starts[len(word.text) - len(form)]
                break
        spans.append((start, text[last].end))
    return tuple(spans)
