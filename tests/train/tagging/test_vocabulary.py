"""The tag vocabulary: spellings, counts, and which tags are usable."""

from __future__ import annotations

from dataclasses import replace

from wusum.model.text.words import match_key
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


def subjects(*rows: Example) -> set[str]:
    return {entry.text for entry in build_vocabulary(rows, []).entries if entry.subject}


def test_a_subject_is_a_tag_that_articles_have_without_naming_it() -> None:
    sport, press = article("فاز الفريق", "كرة القدم", "ميسي"), article("قال ميسي", "كرة القدم", "ميسي")
    assert subjects(sport, sport, press) == {"كرة القدم", "ميسي"}
    assert subjects(sport, *[press] * 9) == {"كرة القدم"}  # once is not enough
    assert subjects(sport, sport, *[press] * 6) == {"كرة القدم", "ميسي"}  # two of eight are enough
    assert subjects(sport, sport, *[press] * 7) == {"كرة القدم"}


def test_names_are_no_subjects() -> None:
    rows = [article("فاز الفريق", "كرة القدم", "ميسي")] * 3
    found = build_vocabulary(rows, [], frozenset([match_key("ميسي")]))
    assert {entry.text: entry.subject for entry in found.entries} == {"كرة القدم": True, "ميسي": False}


def test_articles_that_were_read_tell_what_is_a_subject_if_there_are_any() -> None:
    """An outlet's editors give names that the article does not have."""
    edited = article("فاز الفريق", "كرة القدم", "ميسي")
    read = replace(article("فاز الفريق", "رياضة"), topics=("sport",))
    assert subjects(*[edited] * 5) == {"كرة القدم", "ميسي"}
    assert subjects(*[edited] * 5, read, read) == {"رياضة"}


def test_numbers_letters_and_sentences_are_no_tags() -> None:
    longest = "واحد اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية"
    tags = ("2024", "20 24", "أ", "أب", "كوفيد 19", longest, f"{longest} تسعة")
    found = build_vocabulary([article("", *tags)], [])
    assert {entry.text for entry in found.entries} == {"أب", "كوفيد 19", longest}
