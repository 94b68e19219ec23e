"""Near-duplicates."""

from __future__ import annotations

import pytest

from wusum.train.data import deduplication
from wusum.train.data.deduplication import SHINGLE_WORDS, Deduplicator, sampled_shingles

STORY = "أعلنت الوزارة عن خطة جديدة لبناء مدارس في القرى البعيدة وقال الوزير إن العمل يبدأ في الربيع المقبل"


def test_a_near_duplicate_is_dropped_and_a_new_text_is_not() -> None:
    deduplicator = Deduplicator(max_shared=0.5)
    long = " ".join(f"{word}{n}" for n in range(12) for word in STORY.split())
    assert deduplicator.is_new(long)
    assert not deduplicator.is_new(long)
    assert not deduplicator.is_new(f"خبر عاجل: {long} انتهى.")
    assert not deduplicator.is_new(long.replace("الوزارة", "الوِزارة"))
    assert deduplicator.is_new(" ".join(f"{n}{word}" for n in range(12) for word in STORY.split()))
    assert deduplicator.is_new("خبر قصير")
    assert not deduplicator.is_new("خبر قصير")


def numbered(count: int, first: int = 0) -> list[str]:
    """Return so many different words."""
    return [f"كلمة{number}" for number in range(first, first + count)]


def test_shingles_are_runs_of_eight_words_and_a_shorter_document_is_one_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deduplication, "SAMPLED", 1)
    assert SHINGLE_WORDS == 8
    document = numbered(20)
    whole = sampled_shingles(document)
    assert len(whole) == 13
    assert sampled_shingles(document[5:13]) < whole
    assert len(sampled_shingles(document[5:13])) == 1
    assert sampled_shingles(document[5:15]) < whole
    assert len(sampled_shingles(document[5:15])) == 3
    assert len(sampled_shingles(document[5:12])) == 1
    assert not sampled_shingles(document[5:12]) & whole
    assert sampled_shingles(document[::-1]).isdisjoint(whole)  # the order of the words counts
    assert sampled_shingles([]) == set()


def test_one_shingle_in_eight_is_remembered_and_of_a_long_enough_document_at_least_one() -> None:
    document = numbered(8007)
    sampled = sampled_shingles(document)
    assert 960 < len(sampled) < 1040
    parts = [sampled_shingles(document[start : start + 8]) for start in range(8000)]
    assert all(len(part) == 1 for part in parts)
    # A part has the shingle of the whole if that is sampled, and its own if not.
    assert sampled < set().union(*parts)
    assert len(sampled) == sum(bool(part & sampled) for part in parts)


def test_a_document_that_shares_as_much_as_is_allowed_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deduplication, "SAMPLED", 1)
    first, second = numbered(9), [*numbered(8, 1), "غيرها"]  # one of two shingles

    def is_new(max_shared: float) -> bool:
        deduplicator = Deduplicator(max_shared)
        assert deduplicator.is_new(" ".join(first))
        return deduplicator.is_new(" ".join(second))

    assert is_new(0.5)
    assert not is_new(0.49)


def test_a_refused_document_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deduplication, "SAMPLED", 1)
    deduplicator = Deduplicator(0.5)
    assert deduplicator.is_new(" ".join(numbered(20)))
    assert not deduplicator.is_new(" ".join(numbered(24)))
    assert deduplicator.is_new(" ".join(numbered(8, 16)))  # known only from the refused one
