"""Phrases as tags: without proclitics on the first word."""

from __future__ import annotations

import pytest

from wusum.model.text.normalisation import normalise
from wusum.model.text.proclitics import without_proclitics

BEGINNINGS = {"موسكو", "لبنان"}
KNOWN = {"موسكو", "لبنان", "بنان", "لتحليه", "تحليه", "قطر", "دم"}


@pytest.mark.parametrize(
    ("form", "tag"),
    [
        # before the article, in every combination
        ("والرياض", "الرياض"), ("فالرياض", "الرياض"), ("بالرياض", "الرياض"), ("كالرياض", "الرياض"),
        ("وبالرياض", "الرياض"), ("فكالرياض", "الرياض"), ("للرياض", "الرياض"), ("وللرياض", "الرياض"),
        ("فللرياض", "الرياض"), ("وَبِالرِّياض", "الرِّياض"), ("لِلرِّياض", "الرِّياض"), ("بالأمل", "الأمل"),
        ("للأمل", "الأمل"), ("بالون", "بالون"), ("للفن", "للفن"), ("وبالفن", "وبالفن"),
        # before a bare word that is known or stands in the text
        ("وموسكو", "موسكو"), ("فموسكو", "موسكو"), ("بموسكو", "موسكو"), ("لموسكو", "موسكو"), ("كموسكو", "موسكو"),
        ("وبموسكو", "موسكو"), ("فلموسكو", "موسكو"), ("لأنقرة", "أنقرة"), ("لتحلية", "تحلية"), ("وَمُوسكو", "مُوسكو"),
        ("وقطر", "قطر"), ("ولقطر", "قطر"),
        # no proclitics
        ("لبنان", "لبنان"), ("وليد", "وليد"), ("سموسكو", "سموسكو"), ("بوموسكو", "بوموسكو"), ("بلموسكو", "بلموسكو"),
        ("ودم", "ودم"), ("الرياض", "الرياض"),
    ],
)  # fmt: skip
def test_proclitics_come_off_the_first_word_of_a_phrase(form: str, tag: str) -> None:
    bare = without_proclitics(form, normalise(form), BEGINNINGS, KNOWN, {"انقره", normalise(form)})
    assert bare == (tag, normalise(tag))


def test_a_word_with_which_tags_begin_keeps_its_first_letter() -> None:
    assert without_proclitics("وكالة", "وكاله", {"وكاله"}, {"كاله"}, set()) == ("وكالة", "وكاله")
    assert without_proclitics("وكالة", "وكاله", set(), {"كاله"}, set()) == ("كالة", "كاله")
    assert without_proclitics("وكالة", "وكاله", set(), set(), {"كاله"}) == ("كالة", "كاله")
    assert without_proclitics("وكالة", "وكاله", set(), set(), set()) == ("وكالة", "وكاله")


def test_a_ligature_through_which_the_cut_goes_stays_whole() -> None:
    assert without_proclitics("ﻻعب", "لاعب", set(), {"اعب"}, set()) == ("ﻻعب", "لاعب")
