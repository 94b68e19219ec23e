"""The tag vocabulary: spellings, counts, and which tags are usable."""

from __future__ import annotations

from wusum.train.data.corpora import Example
from wusum.train.tagging.vocabulary import build_vocabulary


def article(body: str, *tags: str, title: str = "") -> Example:
    return Example("", "news", title, body, None, tags)


def test_tags_are_counted_as_given_as_present_and_as_given_where_present() -> None:
    found = build_vocabulary(
        [
            article("زار الوزير لبنان اليوم", "لبنان", "إيران"),
            article("زار الوزير لبنان أمس", "ايران"),
            article("حديث عن إيران", "إيران", title="لبنان"),
            article("لا شيء هنا", "لبنان"),
            Example("", "news", "", "عن لبنان", None, None),
        ],
        ["سوريا", "إيران"],
    )
    # text: articles that were given the tag, that contain it, and of these those that were given it; number in the head
    counts = {e.text: (e.tagged, e.present, e.prior, e.label) for e in found.entries}
    assert counts == {"لبنان": (2, 4, 1, -1), "إيران": (3, 1, 1, 1)}


def test_numbers_letters_and_sentences_are_no_tags() -> None:
    longest = "واحد اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية"
    tags = ("2024", "20 24", "أ", "أب", "كوفيد 19", longest, f"{longest} تسعة")
    found = build_vocabulary([article("", *tags)], [])
    assert {entry.text for entry in found.entries} == {"أب", "كوفيد 19", longest}
