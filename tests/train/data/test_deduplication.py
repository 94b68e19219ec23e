"""Near-duplicates."""

from __future__ import annotations

from wusum.train.data.deduplication import Deduplicator

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
