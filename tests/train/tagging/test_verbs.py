"""Verbs, recognised by the forms in which they occur."""

from __future__ import annotations

from collections import Counter

from wusum.model.tagging.entry import Entry
from wusum.model.tagging.vocabulary import Vocabulary
from wusum.train.tagging.verbs import find_verbs

COUNTS: Counter[str] = Counter()
for found in (
    {"يحل": 20, "تحل": 9, "اعلن": 40, "اعلنت": 30},
    {"تونس": 50, "يونس": 12},  # names that look like two prefixes of one verb
    {"يمين": 30, "اليمين": 40, "تمين": 3},  # a noun, for it has an article
    {"مدير": 40, "مديرت": 6, "مديره": 30},  # a noun with its feminine
    {"محمد": 900, "محمدت": 5},  # a slip
    {"بيو": 10, "بيوت": 60, "البيوت": 9},
    {"يسف": 5, "تسف": 1},  # too rare with the other prefix
):
    COUNTS.update(found)


def vocabulary(*tags: tuple[str, int]) -> Vocabulary:
    """Tags, with how many articles were given each."""
    return Vocabulary([Entry(text, text, times, times, times, -1) for text, times in tags])


def test_verbs_are_found_in_two_persons_and_without_an_article() -> None:
    known = vocabulary(("تونس", 30), ("يونس محمود", 2))
    assert find_verbs(COUNTS, known) == {"يحل", "تحل", "اعلن", "اعلنت"}


def test_a_verb_that_a_tag_or_a_long_one_contains_stays_a_verb() -> None:
    told = "حملات كثيرة ضد من يحل محله"
    assert {"يحل", "تونس"} <= find_verbs(COUNTS, vocabulary(("يحل هنا", 1), (told, 9)))
