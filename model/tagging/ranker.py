"""Keyword tags: candidates from six sources, ranked by one small model.

A candidate is a tag that editors have given before and that stands in the article, one that the network's tag head
predicts, one that similar articles were given, one that the article's words stand for, or a phrase that the span head
marks or that is frequent here and rare elsewhere, which both may be new. What an editor would do with it is told by a
few features that anyone can read (`ranking.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wusum.model.errors import ModelError
from wusum.model.network.outputs import Reading
from wusum.model.network.spans import Phrase
from wusum.model.prediction import Tag
from wusum.model.tagging.features import Candidate, Evidence, feature_table, log_softmax
from wusum.model.tagging.selection import fuller, without_repeats
from wusum.model.tagging.sources.linear import REACH, LinearTags, features
from wusum.model.tagging.sources.neighbours import Memory, Votes, largest
from wusum.model.tagging.sources.new_phrases import coined, uncut
from wusum.model.tagging.trees import FEATURES, Ranking
from wusum.model.tagging.vocabulary import Entry, Mentions, Vocabulary
from wusum.model.text.lexicon import Lexicon, Text
from wusum.model.text.normalisation import align, words
from wusum.model.text.word_statistics import Rarity

HEAD_CANDIDATES = 10
"""Tags of the vocabulary that the head may propose for an article."""

MEMORY_CANDIDATES = 12
"""Tags that similar articles may propose."""

LINEAR_CANDIDATES = 12
"""Tags that the linear model may propose, if it is so sure of them:"""

FAINT = 0.02

TOGETHER = 0.2
"""Of the articles to which editors gave the rarer one of a tag and a part of it, the share that must have both: what
they take for names of the same (داعش and تنظيم داعش), or have given too rarely to tell, is not given twice."""

FEW = 2
"""Tags that an article gets where so many stand in it and have half the threshold: better than nothing to go by."""


class TagRanker:
    """Proposes and ranks the tags of an article."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        ranking: Ranking,
        threshold: float,
        absent_threshold: float,
        memory: Memory | None = None,
        linear: LinearTags | None = None,
        remembered: Vocabulary | None = None,
        rarity: Rarity | None = None,
    ) -> None:
        """`memory` and `linear` number tags as `remembered` does, by default the vocabulary."""
        self.vocabulary = vocabulary
        self.memory = memory
        self.linear = linear or LinearTags.none()
        self.remembered = remembered or vocabulary
        numbers = (self.remembered.index(entry.key) for entry in vocabulary.entries)
        self._numbers = np.array([-1 if number is None else number for number in numbers], np.int64)
        self.rarity = rarity or Rarity.none()
        self._lexicon = Lexicon(self.rarity)
        self.ranking = ranking
        self.threshold = threshold
        self.absent_threshold = absent_threshold

    @classmethod
    def load(cls, folder: Path, settings: Mapping[str, Any], pieces: int) -> TagRanker:
        """That of a model folder whose tokenizer has so many pieces; raises ModelError for a file that is damaged, or
        settings that lack one."""
        vocabulary = Vocabulary.load(folder / "tags.tsv")
        ranking = Ranking.load(folder / "ranking.json")
        memory = Memory.load(folder, pieces, len(vocabulary.entries))
        linear = LinearTags.load(folder, len(vocabulary.entries))
        rarity = Rarity.load(folder)
        try:
            return cls(vocabulary, ranking, **settings, memory=memory, linear=linear, rarity=rarity)
        except TypeError as error:
            raise ModelError(
                f"{folder / 'config.json'}: no settings for tags ({error}); install the model again"
            ) from error

    @classmethod
    def none(cls, pieces: int) -> TagRanker:
        """One that gives no tags."""
        return cls(Vocabulary([]), Ranking.none(), 0.5, 0.5, Memory.none(pieces))

    def save(self, folder: Path) -> None:
        """Write all that `load` reads but the settings; no memory where it has none."""
        self.vocabulary.save(folder / "tags.tsv")
        self.ranking.save(folder / "ranking.json")
        if self.memory:
            self.memory.save(folder)
        self.linear.save(folder)
        self.rarity.save(folder)

    def candidates(self, title: str, body: str, reading: Reading) -> tuple[list[Candidate], NDArray[np.float64]]:
        """What there is to choose from, and its features [candidates, features]."""
        return self._candidates(self._lexicon.read(title), self._lexicon.read(body), reading)

    def _candidates(self, title: Text, body: Text, reading: Reading) -> tuple[list[Candidate], NDArray[np.float64]]:
        new, phrases = self._coined(title, body, reading.phrases)
        votes = self.memory.votes(reading.ids) if self.memory else Votes.none()
        said = self.linear.scores(features([*title.lexemes, *body.lexemes[:REACH]]))

        def standing(known: Vocabulary) -> dict[int, Mentions]:
            mentions = {number: Mentions(spans) for number, spans in known.find(body).items()}
            for number in known.find(title):
                mentions.setdefault(number, Mentions()).in_title = True
            return mentions

        here = standing(self.vocabulary)
        log_p = log_softmax(reading.tags)
        labels = self.vocabulary.labels[self.vocabulary.labels < len(log_p)]
        likely = map(self.vocabulary.of_label, labels[largest(log_p[labels], HEAD_CANDIDATES)].tolist())
        proposed = [*votes.loudest(MEMORY_CANDIDATES), *self._told(said)]
        similar = (self.vocabulary.index(self.remembered.entries[tag].key) for tag in proposed)
        numbers = list(dict.fromkeys([*here, *(n for n in (*likely, *similar) if n is not None)]))
        coined = [(n, m) for n, m in standing(new).items() if not m.body or any(uncut(m, body))]
        known = self.vocabulary.entries
        found = [Candidate(known[number], here.get(number) or Mentions()) for number in numbers]
        found += [Candidate(new.entries[number], places) for number, places in coined]
        counts = [self.vocabulary.counts[numbers], new.counts[[number for number, _ in coined]]]
        remembered = np.concatenate([self._numbers[numbers], np.full(len(coined), -1)])
        evidence = Evidence(
            np.concatenate(counts),
            *votes.of(remembered),
            np.append(said, 0.0)[np.minimum(remembered, len(said))],
            phrases,
            log_p,
            votes.familiar,
            len(body.written),
        )
        return found, feature_table(found, evidence, self.rarity)

    def _told(self, said: NDArray[np.float64]) -> list[int]:
        """The tags of which the linear model is surest."""
        heard = np.flatnonzero(said >= FAINT)
        return [int(tag) for tag in heard[largest(said[heard], LINEAR_CANDIDATES)]]

    def _coined(self, title: Text, body: Text, marked: Mapping[str, Phrase]) -> tuple[Vocabulary, Mapping[str, Phrase]]:
        """The new phrases that may be tags, and what the span head has marked."""
        return coined(title, body, marked, self._lexicon, self.vocabulary)

    def _chosen(self, found: Sequence[Candidate], ranked: Sequence[int], most: int) -> list[int]:
        """The first of some candidates that say something of their own."""
        return without_repeats(found, ranked, most, self._given_together)

    def _given_together(self, one: Entry, other: Entry) -> bool:
        """Whether editors have often enough given two tags to one article; also where nothing is known of one."""
        numbers = self.remembered.index(one.key), self.remembered.index(other.key)
        if self.memory is None or numbers[0] is None or numbers[1] is None:
            return True
        return self.memory.together(numbers[0], numbers[1]) >= TOGETHER

    def _likeness(self, found: Sequence[Candidate], reading: Reading) -> NDArray[np.float64]:
        """What the features do not tell, added to the log odds [candidates]; here nothing."""
        return np.zeros(len(found))

    def scores(self, features: NDArray[np.float64], likeness: NDArray[np.float64] | float = 0.0) -> NDArray[np.float64]:
        """The probability [candidates] that an editor gives a tag, from its features [candidates, features] and what
        `likeness` adds to the log odds."""
        return np.asarray(1 / (1 + np.exp(-self.ranking.log_odds(features) - likeness)))

    def rank(
        self, title: str, body: str, reading: Reading, max_tags: int, min_score: float | None, *, explain: bool = False
    ) -> tuple[Tag, ...]:
        """The tags of an article, best first, with spans in its body.

        Without `min_score` the model's thresholds hold: a tag that does not stand in the article must be surer, and
        half is enough where fewer than FEW would be given. The fuller name stands for its part, where the part stands
        nowhere else, and has the better score of both.
        """
        if not max_tags:
            return ()
        text = self._lexicon.read(body)
        found, table = self._candidates(self._lexicon.read(title), text, reading)
        likeness = self._likeness(found, reading)
        scores = self.scores(table, likeness)
        canonical = fuller(found, scores)
        for part, whole in canonical.items():
            scores[whole] = max(scores[whole], scores[part])
        present, absent = (self.threshold, self.absent_threshold) if min_score is None else (min_score, min_score)
        stands = table[:, FEATURES.index("present")] == 1
        ranked = sorted(range(len(found)), key=lambda n: (-scores[n], found[n].entry.key))
        best = [n for n in ranked if n not in canonical]
        chosen = self._chosen(found, [n for n in best if scores[n] >= (present if stands[n] else absent)], max_tags)
        if min_score is None and len(chosen) < FEW:
            spare = [n for n in best if stands[n] and present / 2 <= scores[n] < present]
            chosen = self._chosen(found, [*chosen, *spare], min(FEW, max_tags))
        return tuple(
            Tag(
                found[n].entry.text,
                round(float(scores[n]), 4),
                _spans(found[n], text),
                why=self._why(table[n], float(likeness[n])) if explain else None,
            )
            for n in sorted(chosen, key=best.index)
        )

    def _why(self, features: NDArray[np.float64], likeness: float) -> dict[str, float]:
        """What each feature adds to the log odds, the most telling first, and what all tags start from."""
        added = dict(zip(FEATURES, self.ranking.parts(features[None])[0].tolist(), strict=True))
        added["likeness"] = likeness
        told = {name: round(value, 3) for name, value in added.items() if abs(value) >= 0.0005}
        return {"start": round(self.ranking.start, 3)} | dict(sorted(told.items(), key=lambda part: -abs(part[1])))


def _spans(candidate: Candidate, body: Text) -> tuple[tuple[int, int], ...]:
    """Offsets of the mentions, a stuck conjunction or preposition left out where the tag goes without."""
    opening = words(candidate.entry.text)[0].text
    forms = [opening, f"ال{opening}", *([f"ل{opening[2:]}"] if opening.startswith("ال") else [])]  # الأردن in للأردن
    spans = []
    for first, last in candidate.mentions.body:
        word, start = body.lexemes[first].text, body.starts[first]
        for form in forms:
            if word.endswith(form):
                if len(form) < len(word):
                    start += align(body.slice(first, first)).starts[len(word) - len(form)]
                break
        spans.append((start, body.ends[last]))
    return tuple(spans)
