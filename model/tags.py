"""Keyword tags: candidates from a vocabulary, ranked by one linear model.

A candidate is a tag that editors have given before, and either stands in the article or is predicted by the
network's tag head. What an editor would do with it is a logistic regression on a few features that anyone can read.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wusum.model.runtime import ModelError
from wusum.model.text import MIN_STEM, Word, align, strip_clitics, words

MAX_WORDS = 8
"""Words of the longest tag that is looked for."""

HEAD_CANDIDATES = 60
"""Tags that the head may propose for an article."""

_PROCLITICS = "وفبكل"
FEATURES = (
    "present",  # it stands in the body or the title
    "prior",  # log odds that editors give it to an article in which it stands
    "frequency",  # log of how often it stands there
    "position",  # log of how many words before its first mention
    "title",  # it stands in the title
    "head",  # log probability under the tag head
    "head_present",  # the same, where it stands in the article
    "unlabelled",  # too rare for the head
    "popularity",  # log of how many training articles have it
    "length",  # words
    "single_word",
    "once",  # given to one training article only
)


@dataclass(frozen=True, slots=True)
class Tag:
    """A keyword tag. `spans` are its mentions in the body, as offsets into the given text; empty if it has none."""

    text: str
    score: float
    spans: tuple[tuple[int, int], ...] = ()

    def moved(self, offset: int) -> Tag:
        """The tag of a body that begins at `offset` of the given text."""
        return replace(self, spans=tuple((start + offset, end + offset) for start, end in self.spans))

    def to_dict(self) -> dict[str, Any]:
        """As in a row of the output."""
        return {"text": self.text, "score": self.score, "spans": [list(span) for span in self.spans]}


@dataclass(frozen=True, slots=True)
class Entry:
    """A tag of the vocabulary: its match key, its usual spelling and what training data says about it."""

    key: str
    text: str
    present: int
    """Training articles in which it stands."""
    tagged: int
    """Training articles to which an editor gave it."""
    prior: int
    """Training articles in which it stands and to which an editor gave it."""
    label: int
    """Its label in the tag head, -1 if it has none."""


@dataclass(slots=True)
class Mentions:
    """Where a candidate stands: word numbers in the body, and whether it is in the title."""

    body: list[tuple[int, int]] = field(default_factory=list)
    in_title: bool = False


class Vocabulary:
    """The tags that can be given, found in a text by their words without clitics."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self._index = {entry.key: i for i, entry in enumerate(self.entries)}
        self._by_label = {entry.label: i for i, entry in enumerate(self.entries) if entry.label >= 0}
        self._openings: set[str] = set()
        for key in self._index:
            parts = key.split(" ")
            self._openings.update(" ".join(parts[:n]) for n in range(1, len(parts)))

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Read `tags.tsv`; raises ModelError for a line that is no entry."""
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise ModelError(f"{path}: damaged; install the model again: {error}") from error
        entries = []
        for number, line in enumerate(lines[1:], start=2):
            try:
                key, text, *counts = line.split("\t")
                present, tagged, prior, label = map(int, counts)
            except ValueError as error:
                raise ModelError(
                    f"{path}:{number}: not an entry of a tag vocabulary; install the model again"
                ) from error
            entries.append(Entry(key, text, present, tagged, prior, label))
        return cls(entries)

    def save(self, path: Path) -> None:
        """Write `tags.tsv`."""
        lines = ["key\ttext\tpresent\ttagged\tprior\tlabel"]
        lines += ["\t".join(map(str, (e.key, e.text, e.present, e.tagged, e.prior, e.label))) for e in self.entries]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def find(self, text: Sequence[Word]) -> dict[int, list[tuple[int, int]]]:
        """Entries that stand among the words of a text, with the word numbers `[first, last]` of each mention."""
        stems = [strip_clitics(word.text) for word in text]
        found: dict[int, list[tuple[int, int]]] = {}
        for first, stem in enumerate(stems):
            for opening in (stem, *_without_proclitics(text[first].text, stem)):
                matched = False
                key, last = opening, first
                while True:
                    if (entry := self._index.get(key)) is not None:
                        found.setdefault(entry, []).append((first, last))
                        matched = True
                    last += 1
                    if key not in self._openings or last == len(stems) or last - first == MAX_WORDS:
                        break
                    key = f"{key} {stems[last]}"
                if matched:  # موسكو in «بموسكو» only where «بموسكو» itself is nothing
                    break
        return found

    def of_label(self, label: int) -> int | None:
        """The entry of a label of the tag head, None where the vocabulary has none."""
        return self._by_label.get(label)


def _without_proclitics(word: str, stem: str) -> list[str]:
    """Readings of a stem with prepositions and conjunctions off: وبموسكو → بموسكو has gone before, موسكو comes here.

    Under an article none can stand (البحرية is not الحرية); but a و, taken off the bare word, comes off there, too.
    """
    if len(word) - len(stem) > 1:
        return [stem[1:]] if stem[0] == "و" and len(stem) > MIN_STEM else []
    readings = []
    for _ in range(2):
        if len(stem) <= MIN_STEM or stem[0] not in _PROCLITICS:
            break
        stem = stem[1:]
        readings.append(strip_clitics(stem))
    return readings


class TagRanker:
    """Proposes and ranks the tags of an article."""

    def __init__(
        self, vocabulary: Vocabulary, weights: Mapping[str, float], threshold: float, absent_threshold: float
    ) -> None:
        self.vocabulary = vocabulary
        self.threshold = threshold
        self.absent_threshold = absent_threshold
        self.weights = np.array([weights[name] for name in FEATURES])
        self.bias = weights["bias"]

    def candidates(
        self, title: Sequence[Word], body: Sequence[Word], logits: NDArray[np.float32]
    ) -> tuple[dict[int, Mentions], NDArray[np.float64]]:
        """The entries to choose from with their mentions, and their features [candidates, features]."""
        mentions: dict[int, Mentions] = {i: Mentions(spans) for i, spans in self.vocabulary.find(body).items()}
        for i in self.vocabulary.find(title):
            mentions.setdefault(i, Mentions()).in_title = True
        log_p = _log_softmax(logits)
        for label in np.argsort(-log_p, kind="stable")[:HEAD_CANDIDATES]:
            if (entry := self.vocabulary.of_label(int(label))) is not None:
                mentions.setdefault(entry, Mentions())
        features = [_features(self.vocabulary.entries[i], found, log_p) for i, found in mentions.items()]
        return mentions, np.array(features).reshape(-1, len(FEATURES))

    def scores(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """The probability [candidates] that an editor gives a tag, from its features [candidates, features]."""
        return np.asarray(1 / (1 + np.exp(-(features @ self.weights + self.bias))))

    def rank(
        self,
        title: str,
        body: str,
        logits: NDArray[np.float32],
        max_tags: int,
        min_score: float | None,
    ) -> tuple[Tag, ...]:
        """The tags of an article, best first, with spans in its body.

        Without `min_score` the model's thresholds hold; a tag that does not stand in the article must be surer.
        """
        body_words = words(body)
        mentions, features = self.candidates(words(title), body_words, logits)
        scores = self.scores(features)
        entries = [self.vocabulary.entries[i] for i in mentions]
        present, absent = (self.threshold, self.absent_threshold) if min_score is None else (min_score, min_score)
        least = np.where(features[:, FEATURES.index("present")] == 1, present, absent)
        best = sorted(range(len(entries)), key=lambda n: (-scores[n], entries[n].key))
        found = list(mentions.values())
        return tuple(
            Tag(entries[n].text, round(float(scores[n]), 4), _spans(entries[n], found[n], body, body_words))
            for n in [n for n in best if scores[n] >= least[n]][:max_tags]
        )


def _features(entry: Entry, mentions: Mentions, log_p: NDArray[np.float64]) -> list[float]:
    """One row in the order of FEATURES."""
    present = bool(mentions.body or mentions.in_title)
    head = float(log_p[entry.label]) if entry.label >= 0 else -8.0
    size = entry.key.count(" ") + 1
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
    ]


def _log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    shifted = logits.astype(np.float64) - logits.max(initial=0)
    return np.asarray(shifted - np.log(np.exp(shifted).sum()))


def _spans(entry: Entry, mentions: Mentions, body: str, text: Sequence[Word]) -> tuple[tuple[int, int], ...]:
    """Offsets of the mentions, a stuck conjunction or preposition left out where the tag goes without."""
    opening = words(entry.text)[0].text
    spans = []
    for first, last in mentions.body:
        word, start = text[first], text[first].start
        for form in (opening, f"ال{opening}"):
            if word.text.endswith(form) and word.text != form:
                start += align(body[word.start : word.end]).starts[len(word.text) - len(form)]
                break
        spans.append((start, text[last].end))
    return tuple(spans)
