"""Disturbed articles."""

from __future__ import annotations

import random
import unicodedata
from dataclasses import replace

import pytest

from wusum.eval.suites.disturbances import (
    DISTURBANCES,
    add_diacritics,
    add_noise,
    add_punctuation,
    disturb,
    drop_hamza,
    drop_punctuation,
    swap_digits,
)
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


def test_hamza_and_teh_marbuta_are_written_as_in_haste() -> None:
    assert drop_hamza("أحمد إلى آخر مؤمن بئر", random.Random(0)) == "احمد الى اخر مومن بير"
    made = drop_hamza("مدرسة " * 1000, random.Random(0)).split()
    assert set(made) == {"مدرسة", "مدرسه"}
    assert 400 < made.count("مدرسه") < 600
    assert drop_hamza("مدرستها ةا", random.Random(0)) == "مدرستها ةا"  # only at the end of a word


def test_digits_change_sides() -> None:
    assert swap_digits("0123456789 ٠١٢٣٤٥٦٧٨٩", random.Random(0)) == "٠١٢٣٤٥٦٧٨٩ 0123456789"


def test_each_punctuation_mark_becomes_a_space() -> None:
    assert drop_punctuation("قال: «نعم»، (لا)-ثم!", random.Random(0)) == "قال   نعم    لا  ثم "


def test_punctuation_comes_behind_a_fifth_of_the_words() -> None:
    made = add_punctuation("كلمة " * 2000, random.Random(0)).split()
    assert len(made) == 2000
    changed = [word for word in made if word != "كلمة"]
    assert {word[:-1] for word in changed} == {"كلمة"}
    assert {word[-1] for word in changed} == set("،؛.:!؟…")
    assert 350 < len(changed) < 450


def test_a_third_of_the_arabic_letters_get_a_mark() -> None:
    made = add_diacritics("ب" * 3000 + "b1 ", random.Random(0))
    marks = [char for char in made if unicodedata.category(char) == "Mn"]
    assert 900 < len(marks) < 1100
    assert set(marks) == set(map(chr, range(0x64B, 0x653)))
    assert made.endswith("b1 ")


def test_a_twentieth_of_the_letters_is_mistyped_in_four_ways() -> None:
    text = "بتثج" * 2000
    made = add_noise(text, random.Random(0))
    shorter = [add_noise("ب", random.Random(seed)) for seed in range(2000)]
    wrong = [letter for letter in shorter if letter != "ب"]
    assert 40 < len(wrong) < 110  # of 5%, one in four swaps with a next letter that is not there
    assert {len(letter) for letter in wrong} == {0, 1, 2}
    assert all(letter == "بب" for letter in wrong if len(letter) == 2)
    assert 0.95 < len(made) / len(text) < 1.05
    swapped = [add_noise("بت", random.Random(seed)) for seed in range(2000)]
    assert swapped.count("تب") > 5
    assert add_noise("1 .،", random.Random(0)) == "1 .،"


def test_articles_are_disturbed_each_in_a_way_of_its_own() -> None:
    other = replace(EXAMPLE, id="8")
    for name in ("more punctuation", "diacritics", "no hamza", "5% noise"):
        assert disturb(name, EXAMPLE).body != disturb(name, other).body
    assert disturb("5% noise", EXAMPLE).title != EXAMPLE.title or disturb("5% noise", other).title != EXAMPLE.title


def test_a_short_article_is_not_cut() -> None:
    short = replace(EXAMPLE, body="  نص قصير\nمن سطرين ")
    assert disturb("50 words", short).body == "نص قصير من سطرين"
    assert disturb("50 words", short).title == EXAMPLE.title
