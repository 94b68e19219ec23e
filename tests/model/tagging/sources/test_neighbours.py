"""The memory of tags: articles found by what is in them, and their votes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.model.tagging.test_ranker import Linear, read
from wusum.model.errors import ModelError
from wusum.model.tagging.ranker import TagRanker
from wusum.model.tagging.sources.neighbours import NEAREST, REACH, UNTOLD, Memory, Votes, count
from wusum.model.tagging.sources.tf_idf import tf_idf
from wusum.model.tagging.trees import FEATURES
from wusum.model.tagging.vocabulary import Entry, Vocabulary

PIECES = 200


def articles() -> list[list[int]]:
    """Forty of a piece of their own and one that a pair of them shares; and forty pieces that all have."""
    everywhere = list(range(40))
    return [[*everywhere, 100 + n // 2, 100 + n // 2, 150 + n] for n in range(40)]


@pytest.fixture
def memory() -> Memory:
    return Memory.of(articles(), [[n % 4, 4] if n % 2 else [n % 4] for n in range(40)], PIECES)


def said(votes: Votes, *tags: int) -> list[tuple[float, float]]:
    """The share of each tag, and how near the nearest article is that has it."""
    shares, nearest = votes.of(np.array(tags, np.int64))
    return list(zip(shares.tolist(), nearest.tolist(), strict=True))


def test_pieces_are_counted() -> None:
    assert [part.tolist() for part in count([8, 7, 8])] == [[7, 8], [1, 2]]
    assert [part.tolist() for part in count([])] == [[], []]
    long = [1] * REACH
    for one, other in zip(count([*long, 2, 3]), count(long), strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_have_length_one() -> None:
    values = tf_idf(np.array([1, 4, 9]), np.array([1.0, 2.0, 0.5], np.float32))
    assert np.square(values).sum() == pytest.approx(1.0)
    assert values[1] / values[0] == pytest.approx(2 * (1 + np.log(4)))


def test_only_articles_with_a_telling_piece_in_common_vote(memory: Memory) -> None:
    votes = memory.votes([*range(40), 103])  # the pieces of all say nothing
    assert votes.familiar == pytest.approx(1.0, abs=0.01)
    assert sorted(votes.loudest(9)) == [2, 3, 4]  # of articles 6 and 7
    assert said(votes, 1, -1, 9) == [(0.0, 0.0)] * 3
    assert [share for share, _ in said(votes, 2, 3, 4)] == pytest.approx([0.5] * 3)
    assert said(votes, 4)[0][1] == pytest.approx(1.0, abs=0.01)


def test_the_nearer_vote_weighs_more(memory: Memory) -> None:
    votes = memory.votes([100, 100, 100, 101])
    (more, near), (less, far) = said(votes, 0, 2)
    assert more > less > 0
    assert near == votes.familiar > far
    assert votes.loudest(1) == [4]
    assert votes.loudest(9) == [4, 0, 1, 2, 3]  # of equal ones the first


def test_nothing_in_common_is_no_vote(memory: Memory) -> None:
    for votes in (memory.votes([]), memory.votes([199]), Memory.none(PIECES).votes([1, 2, 100])):
        assert (votes.loudest(5), votes.familiar, said(votes, 0)) == ([], 0.0, [(0.0, 0.0)])


def test_no_more_than_the_nearest_vote() -> None:
    many = [[1, 2 + n % 2] for n in range(4 * NEAREST)] + [[9] for _ in range(80 * NEAREST)]
    votes = Memory.of(many, [[n] for n in range(len(many))], PIECES).votes([1, 2])
    assert votes.loudest(9 * NEAREST) == list(range(0, 2 * NEAREST, 2))
    assert sum(share for share, _ in said(votes, *range(0, 2 * NEAREST, 2))) == pytest.approx(1.0)


def test_how_often_two_tags_go_together() -> None:
    memory = Memory.of([[n] for n in range(6)], [[0, 1], [0, 1], [0], [1, 2], [2], []], PIECES)
    assert memory.together(0, 1) == memory.together(1, 0) == pytest.approx(2 / (3 + UNTOLD))
    assert memory.together(1, 2) == pytest.approx(1 / (2 + UNTOLD))
    assert memory.together(0, 2) == 0.0
    assert memory.together(0, 3) == 1.0  # which no article has
    assert Memory.none(PIECES).together(0, 1) == 1.0


def test_a_saved_memory_is_the_memory(memory: Memory, tmp_path: Path) -> None:
    memory.save(tmp_path)
    again = Memory.load(tmp_path, PIECES, 5)
    ours, theirs = memory.votes([100, 103]), again.votes([100, 103])
    assert said(ours, *range(6)) == said(theirs, *range(6))
    assert ours.familiar == theirs.familiar
    np.testing.assert_array_equal(again.idf, memory.idf)


@pytest.mark.parametrize(("pieces", "entries"), [(PIECES + 1, 5), (PIECES, 4)])
def test_a_memory_of_other_pieces_or_tags_is_refused(memory: Memory, tmp_path: Path, pieces: int, entries: int) -> None:
    memory.save(tmp_path)
    with pytest.raises(ModelError, match=r"memory\.safetensors"):
        Memory.load(tmp_path, pieces, entries)


def test_what_similar_articles_were_given_is_a_candidate(memory: Memory) -> None:
    vocabulary = Vocabulary(Entry(text, text, 1, 1, 1, -1) for text in ("بيروت", "دمشق", "بغداد", "عمان", "لبنان"))
    ranker = TagRanker(vocabulary, Linear({"neighbours": 1.0, "bias": 3.0}), 0.5, 0.5, memory)
    reading = read(0.0)._replace(ids=[103])
    assert [tag.text for tag in ranker.rank("", "لا شيء هنا", reading, 10, None)] == ["بغداد", "عمان", "لبنان"]
    candidates, table = ranker.candidates("", "دمشق", reading)
    row = [candidate.entry.text for candidate in candidates].index("دمشق")
    assert table[row, FEATURES.index("nearest")] == 0.0
    assert table[row, FEATURES.index("neighbours")] == pytest.approx(np.log(0.005))
