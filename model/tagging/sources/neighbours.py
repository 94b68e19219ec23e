"""The memory of tags: what editors gave the articles of the training data that are most like one.

A story goes on for weeks, and gets the tags that it got before; so its neighbours tell tags that do not stand in it.
Articles are alike by the cosine of the TF-IDF of their pieces, found through an inverted index; an answer is a vote of
the nearest, each by how near it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from wusum.model.errors import ModelError
from wusum.model.tagging.candidates import Candidate, Candidates, Columns, Document, Feature
from wusum.model.tagging.sources.tf_idf import largest, postings, tf_idf
from wusum.model.tagging.vocabulary import Mentions, Vocabulary

FILE = "memory.safetensors"

REACH = 512
"""Tokens of an article that are counted, from its beginning."""

NEAREST = 50
"""Articles that have a vote."""

COMMON = 0.1
"""A piece of more than this share of the articles tells nothing; one of a single article is that article's own."""

STEP = 255
"""Values from 0 to 1 are kept in so many steps."""

UNTOLD = 5
"""So many articles that have one alone are added to those of two tags: a few that have both tell little."""


class Votes:
    """What the articles nearest to one say of tags, by their numbers in the vocabulary."""

    def __init__(
        self, tags: NDArray[Any], shares: NDArray[np.float64], nearest: NDArray[np.float64], familiar: float = 0.0
    ) -> None:
        """`tags` are in ascending order, each with its share of the votes, by nearness, and the cosine of the nearest
        article that has it; `familiar` is the cosine of the nearest article of all, 0 where none has anything in common
        with it."""
        self.familiar = familiar
        self._tags, self._shares, self._nearest = tags, shares, nearest

    @classmethod
    def none(cls) -> Votes:
        """Where nothing is said of any tag."""
        return cls(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))

    def of(self, tags: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The share of some tags [tags] and how near the nearest article is that has each; 0 where nothing is said, as
        of -1."""
        if not len(self._tags):
            return np.zeros(len(tags)), np.zeros(len(tags))
        places = np.minimum(np.searchsorted(self._tags, tags), len(self._tags) - 1)
        heard = self._tags[places] == tags
        return np.where(heard, self._shares[places], 0.0), np.where(heard, self._nearest[places], 0.0)

    def loudest(self, most: int) -> list[int]:
        """The tags that most of the vote is for, of equal ones the first in the vocabulary."""
        return [int(tag) for tag in self._tags[largest(self._shares, most)]]


class Memory:
    """Tagged articles, found by what is in them."""

    def __init__(
        self,
        starts: NDArray[np.int32],
        articles: NDArray[np.uint16],
        values: NDArray[np.uint8],
        tag_starts: NDArray[np.int32],
        tags: NDArray[np.int32],
    ) -> None:
        """Piece p is in `articles[starts[p] : starts[p + 1]]`, with so much weight (`values`, in steps) in each;
        article a has the vocabulary's entries `tags[tag_starts[a] : tag_starts[a + 1]]`."""
        self.starts, self.articles, self.values = starts, articles, values
        self.tag_starts, self.tags = tag_starts, tags
        self.pieces = len(starts) - 1
        self.idf = _idf(np.diff(starts), len(tag_starts) - 1)

    @classmethod
    def of(cls, articles: Sequence[Sequence[int]], tags: Sequence[Sequence[int]], pieces: int) -> Memory:
        """The memory of some articles' token ids, each with the numbers of its tags in the vocabulary."""
        if len(articles) > np.iinfo(np.uint16).max:
            raise ValueError(f"{len(articles)} articles to remember; there is room for {np.iinfo(np.uint16).max}")
        counted = list(map(count, articles))
        seen = np.bincount(np.concatenate([found for found, _ in counted]), minlength=pieces)
        idf = _idf(seen, len(articles))
        posted: list[tuple[NDArray[np.int64], NDArray[np.uint8]]] = []
        for found, times in counted:
            steps = np.round(tf_idf(times, idf[found]) * STEP).astype(np.uint8)
            posted.append((found[steps > 0], steps[steps > 0]))
        where = np.concatenate([found for found, _ in posted])
        owners = np.repeat(np.arange(len(posted), dtype=np.uint16), [len(found) for found, _ in posted])
        order = np.argsort(where, kind="stable")
        return cls(
            np.concatenate([[0], np.cumsum(np.bincount(where, minlength=pieces))]).astype(np.int32),
            owners[order],
            np.concatenate([steps for _, steps in posted])[order],
            np.cumsum([0, *map(len, tags)]).astype(np.int32),
            np.array([tag for some in tags for tag in some], np.int32),
        )

    @classmethod
    def none(cls, pieces: int) -> Memory:
        """One that remembers nothing."""
        nothing = np.zeros(1, np.int32)
        return cls(np.zeros(pieces + 1, np.int32), np.zeros(0, np.uint16), np.zeros(0, np.uint8), nothing, nothing[:0])

    @classmethod
    def load(cls, folder: Path, pieces: int, entries: int) -> Memory:
        """Read `memory.safetensors`; raises ModelError for one that is damaged or of other pieces or tags."""
        try:
            parts = load_file(folder / FILE)
            memory = cls(**parts)
            remembered = len(memory.tag_starts) - 1
            if (
                memory.pieces != pieces
                or memory.starts[-1] != len(memory.articles)
                or len(memory.articles) != len(memory.values)
                or memory.tag_starts[-1] != len(memory.tags)
                or memory.articles.max(initial=0) >= max(remembered, 1)
                or not 0 <= memory.tags.min(initial=0) <= memory.tags.max(initial=0) < max(entries, 1)
            ):
                raise ValueError("its parts do not fit together")
        except (OSError, ValueError, TypeError, IndexError, SafetensorError) as error:
            raise ModelError(f"{folder / FILE}: damaged, or not of this model ({error}); install it again") from error
        return memory

    def save(self, folder: Path) -> None:
        """Write `memory.safetensors`."""
        names = ("starts", "articles", "values", "tag_starts", "tags")
        save_file({name: np.ascontiguousarray(getattr(self, name)) for name in names}, folder / FILE)

    def votes(self, ids: Sequence[int]) -> Votes:
        """What the articles nearest to one of these token ids say of tags."""
        likeness = self._likeness(ids)
        nearest = largest(likeness, NEAREST)
        nearest = nearest[likeness[nearest] > 0]
        if not len(nearest):
            return Votes.none()
        near = likeness[nearest]
        begins, ends = self.tag_starts[nearest], self.tag_starts[nearest + 1]
        given = np.concatenate([self.tags[a:b] for a, b in zip(begins.tolist(), ends.tolist(), strict=True)])
        worth = np.repeat(near, ends - begins)
        tags, first, place = np.unique(given, return_index=True, return_inverse=True)
        return Votes(tags, np.bincount(place, worth, len(tags)) / near.sum(), worth[first], float(near[0]))

    def together(self, one: int, other: int) -> float:
        """Of the articles with the rarer of two tags the share that have the other, too, as if UNTOLD more had not; 1
        where one of them is in no article."""
        ours, theirs = self._having(one), self._having(other)
        fewest = min(len(ours), len(theirs))
        return len(np.intersect1d(ours, theirs, assume_unique=True)) / (fewest + UNTOLD) if fewest else 1.0

    def _having(self, tag: int) -> NDArray[np.int64]:
        """The articles that have a tag."""
        tags, articles = self._by_tag
        first, last = np.searchsorted(tags, [tag, tag + 1])
        return articles[first:last]

    @cached_property
    def _by_tag(self) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """All tags of all articles, tag by tag, and the article of each."""
        order = np.argsort(self.tags, kind="stable")
        return self.tags[order], np.repeat(np.arange(len(self.tag_starts) - 1), np.diff(self.tag_starts))[order]

    def _likeness(self, ids: Sequence[int]) -> NDArray[np.float64]:
        """The cosine [articles] of each article and one of these token ids."""
        found, times = count(ids)
        weights = tf_idf(times, self.idf[found])
        posted, sizes = postings(self.starts, found)
        products = self.values[posted] * np.repeat(weights, sizes)
        return np.bincount(self.articles[posted], products, len(self.tag_starts) - 1) / STEP


def count(ids: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct pieces [pieces] of an article's token ids, in order, and how often each is there."""
    return np.unique(np.asarray(ids[:REACH], np.int64), return_counts=True)


def _idf(seen: NDArray[np.int64], articles: int) -> NDArray[np.float32]:
    """Inverse document frequency of pieces, 0 for those that tell nothing."""
    idf = np.log((1 + articles) / (1 + seen))
    return np.where((seen > 1) & (seen <= COMMON * articles), idf, 0).astype(np.float32)


class Neighbours:
    """Proposes tags of the training articles nearest to the document."""

    features = (
        Feature("neighbours", "log of the share of the nearest articles' votes for the tag"),
        Feature("nearest", "cosine of the nearest training article that has the tag"),
        Feature("familiar", "cosine of the nearest training article"),
    )

    def __init__(self, memory: Memory, numbering: Vocabulary, vocabulary: Vocabulary) -> None:
        """Propose entries of `vocabulary`; the memory numbers tags as the entries of `numbering`."""
        self.memory, self.numbering, self.vocabulary = memory, numbering, vocabulary

    def propose(self, document: Document) -> Iterable[Candidate]:
        """Return the entries with the largest share of the votes."""
        for tag in document.memo(self, self._votes).loudest(12):
            if (number := self.vocabulary.index(self.numbering.entries[tag].key)) is not None:
                yield Candidate(self.vocabulary.entries[number], Mentions())

    def measure(self, document: Document, candidates: Candidates) -> Columns:
        """Return the votes for each candidate."""
        votes = document.memo(self, self._votes)
        shares, nearest = votes.of(self.numbering.numbers(candidates.keys))
        familiar = np.full(len(candidates), votes.familiar)
        return {"neighbours": np.log(0.005 + shares), "nearest": nearest, "familiar": familiar}

    def _votes(self, document: Document) -> Votes:
        return self.memory.votes(document.output.token_ids)
