"""Disturbed articles."""

from __future__ import annotations

import unicodedata

import pytest

from wusum.eval.suites.disturbances import DISTURBANCES, disturb
from wusum.model.text.normalisation import normalise
from wusum.train.data.corpora import Example

BODY = "أعلنت الوزارة، أمس، عن خطّةٍ جديدة لعام 2024: بناء 30 مدرسة في القرى البعيدة. " * 30
EXAMPLE = Example("7", "c", "خطة الوزارة", BODY.strip(), None, None)


@pytest.mark.parametrize("name", DISTURBANCES)
def test_a_disturbance_is_the_same_each_time_and_changes_the_article(name: str) -> None:
    once = disturb(name, EXAMPLE)
    assert once == disturb(name, EXAMPLE)
    assert once.id == EXAMPLE.id
    assert (once == EXAMPLE) == (name == "as it is")


def test_each_disturbance_changes_what_its_name_says() -> None:
    made = {name: disturb(name, EXAMPLE) for name in DISTURBANCES}
    assert made["no title"].text == EXAMPLE.body
    for count in (50, 100, 200):
        assert made[f"{count} words"].body.split() == EXAMPLE.body.split()[:count]
    assert not set("،.:") & set(made["no punctuation"].text)
    assert made["more punctuation"].body.count(" ") == EXAMPLE.body.count(" ")
    marks = [sum(unicodedata.category(c) == "Po" for c in e.body) for e in (EXAMPLE, made["more punctuation"])]
    assert 0.1 < (marks[1] - marks[0]) / len(EXAMPLE.body.split()) < 0.3
    assert disturb("no punctuation", made["more punctuation"]).body.split() == made["no punctuation"].body.split()
    assert made["no diacritics"].body == EXAMPLE.body.replace("خطّةٍ", "خطة")
    assert normalise(made["diacritics"].text) == normalise(EXAMPLE.text)
    assert len(made["diacritics"].text) > 1.2 * len(EXAMPLE.text)
    assert not set("أإآؤئ") & set(made["no hamza"].text)
    assert "٢٠٢٤" in made["digits swapped"].text
    assert normalise(made["digits swapped"].text) == normalise(EXAMPLE.text)
    pairs = zip(EXAMPLE.body.split(), made["5% noise"].body.split(), strict=False)
    assert 0.1 < sum(a != b for a, b in pairs) / len(EXAMPLE.body.split()) < 0.5
