"""Names among tags, by sentences in which names are marked."""

from __future__ import annotations

from wusum.model.text.words import match_key
from wusum.train.data.corpora import Example
from wusum.train.tagging.names import names_among


def sentence(text: str, *names: str) -> Example:
    marks = tuple((text.index(name), text.index(name) + len(name)) for name in names)
    return Example("", "ner", "", text, None, None, names=marks)


SENTENCES = [
    sentence("زار المغرب أمس", "المغرب"),
    sentence("المنتخب المغرب", "المنتخب المغرب"),
    sentence("في وزارة المالية خبر", "وزارة المالية"),
    *[sentence("يلعب كرة القدم")] * 5,
    sentence("الاتحاد الدولي لكرة القدم", "الاتحاد الدولي لكرة القدم"),
    *[sentence("قرض السعودية من شركة كبيرة")] * 4,
    sentence("زار السعودية", "السعودية"),
]


def names(*tags: str) -> set[str]:
    found = names_among(map(match_key, tags), SENTENCES)
    return {tag for tag in tags if match_key(tag) in found}


def test_a_tag_that_is_marked_often_enough_is_a_name() -> None:
    """السعودية is marked in one sentence of five, كرة القدم only as a part of a name."""
    assert names("المغرب", "كرة القدم", "السعودية", "قرض") == {"المغرب", "السعودية"}


def test_a_tag_of_no_sentence_is_a_name_if_its_first_word_begins_names() -> None:
    assert names("وزارة الصحة", "شركة النفط", "غائب تماما") == {"وزارة الصحة"}
    assert names_among(["مغرب"], []) == frozenset()
