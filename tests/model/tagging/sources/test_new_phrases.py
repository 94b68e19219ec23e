"""New phrases: which may be tags, and in which form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import pytest

from tests.support import network_output, tag_words, vocabulary_of
from wusum.model.network.outputs import MIN_LOG_ODDS, Phrase
from wusum.model.tagging.candidates import Candidates, Document
from wusum.model.tagging.entry import Entry, Mentions
from wusum.model.tagging.sources.new_phrases import Form, NewPhrases, is_complete, uncut
from wusum.model.tagging.tag_words import TagWords
from wusum.model.tagging.vocabulary import Vocabulary
from wusum.model.text.lexicon import Lexicon, plain_lexicon
from wusum.model.text.titles import title_length
from wusum.model.text.word_statistics import WordStatistics
from wusum.model.text.words import match_key

KNOWN = {"وزير", "الوزراء"}
PLAIN = plain_lexicon()


def document_of(body: str, phrases: Mapping[str, Phrase], lexicon: Lexicon) -> Document:
    return Document(lexicon.tokenise(""), lexicon.tokenise(body), network_output(**phrases))


def new_in(
    body: str,
    phrases: Mapping[str, Phrase],
    *known: str,
    lexicon: Lexicon = PLAIN,
    likely: Iterable[str] = (),
) -> list[Entry]:
    """The new phrases of a body in which the span head has marked some; `known` are tags, `likely` words of tags."""
    words = tag_words(dict.fromkeys(likely, (0.5, 0.5, 0.5, 0.5)))
    source = NewPhrases(lexicon, vocabulary_of(*known, labelled=False), words)
    return [candidate.entry for candidate in source.propose(document_of(body, phrases, lexicon))]


def marked(*forms: str, name: float = 0.0) -> dict[str, Phrase]:
    """Phrases by match key, with these log odds of being a name."""
    return {match_key(form): Phrase(Counter([form]), [1.0, name]) for form in forms}


def texts(entries: Iterable[Entry]) -> set[str]:
    return {entry.text for entry in entries}


def form_of(text: str) -> Form:
    """A phrase as it stands."""
    return Form(text, [lexeme.text for lexeme in PLAIN.tokenise(text).lexemes])


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
    found = new_in(body, marked("موسكو", "مصنع الزجاج", "عمالها", name=MIN_LOG_ODDS), "موسكو")
    assert texts(found) == {"مصنع الزجاج"}


def test_a_new_phrase_is_found_by_the_key_of_its_text() -> None:
    """Where a preposition would be cut out of a ligature, and before a sign that belongs to it."""
    found = new_in("لﻼعب كﹷتاب، قرأ لغة C++ في دمشق", marked("لﻼعب", "كﹷتاب", "لغة C++", name=2.0))
    assert texts(found) >= {"كﹷتاب", "لغة C++"}
    assert all(match_key(entry.text) == entry.key for entry in found)


def test_a_phrase_that_begins_with_a_conjunction_is_new_only_as_a_name() -> None:
    body, form = "انفجار وتضارب الروايات", "وتضارب الروايات"
    assert new_in(body, marked(form), "موسكو") == []
    assert len(new_in(body, marked(form, name=2.0), "موسكو")) == 1


def test_the_middle_of_a_name_is_not_the_name() -> None:
    text = PLAIN.tokenise("قال خالد بن محمد اليوسف إن محمد اليوسف")
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
    text = PLAIN.tokenise(phrase)
    titles = title_length([lexeme.text for lexeme in text.lexemes], {"كره"})
    assert text.slice(titles, len(text.lexemes) - 1) == name


def test_a_name_without_its_title_keeps_its_log_odds() -> None:
    body, title = "نظيره الأميركي ماركو روبيو", "الأميركي ماركو روبيو"
    document = document_of(body, {match_key(title): Phrase(Counter([title]), [1.5, 2.0])}, PLAIN)
    source = NewPhrases(PLAIN, Vocabulary([]), TagWords.none())
    candidates = Candidates(source.propose(document))
    assert texts(candidate.entry for candidate in candidates) == {"ماركو روبيو"}
    columns = source.measure(document, candidates)
    assert {name: column.tolist() for name, column in columns.items()} == {"phrase": [1.5], "name": [2.0]}


def test_a_sentence_is_no_tag_but_a_title_with_a_name_is() -> None:
    phrases = marked("اللقاح آمن", name=-3.0) | marked("الملك سلمان", name=2.0)
    assert texts(new_in("اللقاح آمن كما قال الملك سلمان", phrases)) == {"الملك سلمان"}


def test_a_clause_with_a_verb_is_no_tag_but_a_name_that_looks_so_is() -> None:
    body = "أمس يحل منتخب بوتسوانا ضيفا على تونس كما قال يحل الحمادي"
    phrases = marked("يحل منتخب بوتسوانا", "منتخب بوتسوانا", name=-3.0) | marked("يحل الحمادي", name=2.0)
    lexicon = Lexicon(WordStatistics.count([], ["يحل"]))
    assert texts(new_in(body, phrases, lexicon=lexicon)) == {"منتخب بوتسوانا", "يحل الحمادي"}


def test_phrases_of_the_words_of_tags_are_new_phrases_without_proclitics() -> None:
    body = "قال بالمفاعل إن المفاعل النووي"
    found = new_in(body, {}, likely=("بالمفاعل", "المفاعل", "النووي"))
    assert {(entry.text, entry.tagged) for entry in found} == {("المفاعل", 0), ("النووي", 0), ("المفاعل النووي", 0)}


def test_a_known_tag_is_not_proposed_again() -> None:
    body = "المفاعل النووي في موسكو"
    likely = ("المفاعل", "النووي", "موسكو")
    assert texts(new_in(body, {}, "موسكو", likely=likely)) == {"المفاعل", "النووي", "المفاعل النووي"}
