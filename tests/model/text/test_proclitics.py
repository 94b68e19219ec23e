"""Phrases as tags: without proclitics on the first word."""

from __future__ import annotations

import pytest

from wusum.model.text.normalisation import normalise
from wusum.model.text.proclitics import without_proclitics


@pytest.mark.parametrize(
    ("form", "tag"),
    [
        ("وموسكو", "موسكو"), ("وبموسكو", "موسكو"), ("بالرياض", "الرياض"), ("للرياض", "الرياض"), ("وللرياض", "الرياض"),
        ("والرياض", "الرياض"), ("بالون", "بالون"),
        ("لبنان", "لبنان"), ("وليد", "وليد"), ("لأنقرة", "أنقرة"), ("لتحلية", "تحلية"), ("وَمُوسكو", "مُوسكو"),
    ],
)  # fmt: skip
def test_proclitics_come_off_the_first_word_of_a_phrase(form: str, tag: str) -> None:
    known = {"موسكو", "لبنان", "بنان", "لتحليه", "تحليه"}
    bare = without_proclitics(form, normalise(form), {"موسكو", "لبنان"}, known, {"انقره", form})
    assert bare == (tag, normalise(tag))
