"""New phrases: which may be tags, and in which form."""

from __future__ import annotations

from collections import Counter

import pytest

from wusum.model.network.spans import Phrase
from wusum.model.tagging.sources.new_phrases import Form, find_new_phrases, is_complete, title_length, uncut
from wusum.model.tagging.vocabulary import Entry, Mentions, Vocabulary
from wusum.model.text.lexicon import Lexicon, plain_lexicon
from wusum.model.text.word_statistics import WordStatistics
from wusum.model.text.words import match_key

KNOWN = {"وزير", "الوزراء"}


def new_in(body: str, *marked: str) -> set[str]:
    """The new phrases of a body in which the span head has marked some."""
    known = Vocabulary([Entry(match_key("موسكو"), "موسكو", 1, 1, 1, -1)])
    found = {match_key(form): Phrase(Counter([form])) for form in marked}
    new, _ = find_new_phrases(plain_lexicon().read(""), plain_lexicon().read(body), found, plain_lexicon(), known)
    return {entry.text for entry in new.entries}


def form_of(text: str) -> Form:
    """A phrase as it stands."""
    return Form(text, [lexeme.text for lexeme in plain_lexicon().read(text).lexemes])


@pytest.mark.parametrize(
    ("phrase", "whole"),
    [
        ("خالد بن محمد اليوسف", True),
        ("خالد بن", False),
        ("بن محمد", False),
        ("وزارة التربية والتعليم", True),
        ("مركز الملك سلمان للإغاثة", True),
        ("أحمد الشراحيلي وديقاو", False),
        ("نائب وزير", True),
        ("تتولون قيادتها", False),
        ("عزائمهم", False),
        ("إحداهن", False),
        ("جولته التفقدية", False),
        ("سوق الأسهم", True),
        ("الوضع الراهن", True),
        ("الهدنه المؤقته", True),  # ه for ة, as many write it
        ("سكتة قلبية", True),
        ("السيارة الكهربائية", True),
        ("أبها", True),
        ("فريق بالمعسكر", False),
        ("بالون الاختبار", True),
        ("منتخب بوتسوانا ثالثاً", False),
        ("؟", False),
        ("خلال مباراة", False),
        ("2014م", False),
        ("5 مليارات", False),
        ("مجموعة 20", True),
        ("تلك المراكز", False),
        ("هؤلاء اللاجئين", False),
    ],
)
def test_a_phrase_that_points_outside_or_is_cut_is_no_tag(phrase: str, whole: bool) -> None:
    assert is_complete(form_of(phrase), KNOWN) is whole


def test_new_phrases_are_those_that_nobody_has_given() -> None:
    body = "زار موسكو وفد من مصنع الزجاج، وفي مصنع الزجاج عمالها"
    assert new_in(body, "موسكو", "مصنع الزجاج", "عمالها") == {"مصنع الزجاج"}


def test_a_new_phrase_is_found_by_the_key_of_its_text() -> None:
    """Where a preposition would be cut out of a ligature, and before a sign that belongs to it."""
    body = "لﻼعب كﹷتاب، قرأ لغة C++ في دمشق"
    found = {match_key(form): Phrase(Counter([form]), [1.0, 2.0]) for form in ("لﻼعب", "كﹷتاب", "لغة C++")}
    new, _ = find_new_phrases(
        plain_lexicon().read(""), plain_lexicon().read(body), found, plain_lexicon(), Vocabulary([])
    )
    assert {entry.text for entry in new.entries} >= {"كﹷتاب", "لغة C++"}
    assert all(match_key(entry.text) == entry.key for entry in new.entries)


def test_a_phrase_that_begins_with_a_conjunction_is_new_only_as_a_name() -> None:
    body = "انفجار وتضارب الروايات"
    assert new_in(body, "وتضارب الروايات") == set()
    named = {match_key("وتضارب الروايات"): Phrase(Counter(["وتضارب الروايات"]), [0.0, 2.0])}
    known = Vocabulary([Entry(match_key("موسكو"), "موسكو", 1, 1, 1, -1)])
    assert (
        len(
            find_new_phrases(plain_lexicon().read(""), plain_lexicon().read(body), named, plain_lexicon(), known)[
                0
            ].entries
        )
        == 1
    )


def test_the_middle_of_a_name_is_not_the_name() -> None:
    text = plain_lexicon().read("قال خالد بن محمد اليوسف إن محمد اليوسف")
    assert list(uncut(Mentions([(3, 4), (6, 7)]), text)) == [(6, 7)]
    assert list(uncut(Mentions([(1, 1)]), text)) == []
    assert list(uncut(Mentions([(1, 4)]), text)) == [(1, 4)]


@pytest.mark.parametrize(
    ("phrase", "name"),
    [
        ("الأميركي ماركو روبيو", "ماركو روبيو"),
        ("«المهاجم السلوفيني فلاديمير فايس", "فلاديمير فايس"),
        ("الملك سلمان", "الملك سلمان"),
        ("المدينة المنورة", "المدينة المنورة"),
        ("الاتحاد الدولي لكرة القدم", "الاتحاد الدولي لكرة القدم"),
        ("الخروج من أوروبا", "الخروج من أوروبا"),
        ("ماركو روبيو", "ماركو روبيو"),
    ],
)
def test_a_title_before_a_name_comes_off(phrase: str, name: str) -> None:
    text = plain_lexicon().read(phrase)
    titles = title_length([lexeme.text for lexeme in text.lexemes], {"كره"})
    assert text.slice(titles, len(text.lexemes) - 1) == name


def test_a_name_without_its_title_keeps_what_the_span_head_said() -> None:
    body = "نظيره الأميركي ماركو روبيو"
    phrase = Phrase(Counter(["الأميركي ماركو روبيو"]), [1.0, 2.0])
    found = {"اميركي ماركو روبيو": phrase}
    new, marked = find_new_phrases(
        plain_lexicon().read(""), plain_lexicon().read(body), found, plain_lexicon(), Vocabulary([])
    )
    assert [entry.text for entry in new.entries] == ["ماركو روبيو"]
    assert marked["ماركو روبيو"] is phrase


def test_a_sentence_is_no_tag_but_a_title_with_a_name_is() -> None:
    body = "اللقاح آمن كما قال الملك سلمان"
    known = Vocabulary([])
    found = {
        match_key(form): Phrase(Counter([form]), [1.0, name])
        for form, name in (("اللقاح آمن", -3.0), ("الملك سلمان", 2.0))
    }
    new, _ = find_new_phrases(plain_lexicon().read(""), plain_lexicon().read(body), found, plain_lexicon(), known)
    assert [entry.text for entry in new.entries] == ["الملك سلمان"]


def test_a_clause_with_a_verb_is_no_tag_but_a_name_that_looks_so_is() -> None:
    body = "أمس يحل منتخب بوتسوانا ضيفا على تونس كما قال يحل الحمادي"
    lexicon = Lexicon(WordStatistics.of([], ["يحل"]))
    found = {
        match_key(form): Phrase(Counter([form]), [1.0, name])
        for form, name in (("يحل منتخب بوتسوانا", -3.0), ("منتخب بوتسوانا", -3.0), ("يحل الحمادي", 2.0))
    }
    new, _ = find_new_phrases(lexicon.read(""), lexicon.read(body), found, lexicon, Vocabulary([]))
    # Every word is as rare as any here, so the phrases by TF-IDF are none.
    assert {"منتخب بوتسوانا", "يحل الحمادي"} == {entry.text for entry in new.entries}
