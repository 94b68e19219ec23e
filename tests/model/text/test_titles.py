"""Titles before names: words with an article that no tag needs."""

from __future__ import annotations

import pytest

from wusum.model.text.normalisation import normalise
from wusum.model.text.titles import PARTICLES, title_length


@pytest.mark.parametrize(
    ("phrase", "length"),
    [
        ("الوزير الروسي سيرغي لافروف", 2),
        ("الرئيس فلاديمير بوتين", 1),
        ("سيرغي لافروف", 0),
        ("سيرغي الوزير لافروف", 0),
        ("الرئيس بوتين", 0),  # one word behind the article is as often no name
        ("الوزير الروسي لافروف", 0),
        ("الخارجية الروسية", 0),
        ("الاتحاد الدولي لكرة القدم", 0),
        ("الاتحاد الدولي لونا زايد", 2),  # ونا is no word
        ("", 0),
    ],
)
def test_words_with_an_article_before_two_others_are_a_title(phrase: str, length: int) -> None:
    assert title_length(normalise(phrase).split(), {"كره", "ره"}) == length


@pytest.mark.parametrize("particle", sorted(PARTICLES))
def test_no_name_begins_with_a_particle(particle: str) -> None:
    assert particle == normalise(particle)
    assert title_length(["الخروج", particle, "اوروبا"], ()) == 0
    assert title_length(["الخروج", f"س{particle}", "اوروبا"], ()) == 1


def test_prepositions_quantifiers_and_demonstratives_are_particles() -> None:
    given = "من في على عن إلى مع بين ضد غير عبر حول بعد قبل منذ حتى دون خلال أثناء عند ضمن وسط وفق بسبب كل بعض"
    assert set(normalise(f"{given} هذا هذه ذلك تلك هؤلاء").split()) == PARTICLES


@pytest.mark.parametrize("proclitic", "وفبكل")
def test_no_name_begins_with_a_proclitic_before_a_known_word(proclitic: str) -> None:
    assert title_length(["الاتحاد", f"{proclitic}كره", "قدم"], {"كره"}) == 0
    assert title_length(["الاتحاد", f"{proclitic}كره", "قدم"], {"قدم"}) == 1
    assert title_length(["الاتحاد", "سكره", "قدم"], {"كره"}) == 1
