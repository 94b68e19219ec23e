"""Markers of a page: every spelling of each, what may surround it, and sentences that only begin like one."""

from __future__ import annotations

import pytest

from wusum.model.pages.markers import EDGE_CHARS, SPACE_CHARS, Marker, MarkerKind, find_markers
from wusum.model.text.normalisation import normalise

SPELLINGS = {
    MarkerKind.SOURCE: "المصدر|مصدر|مصدر الخبر|المصدر الخبر|مصادر|المصادر",
    MarkerKind.TAGS: (
        "كلمات دلالية|كلمات مفتاحية|الكلمات الدلالية|الكلمات المفتاحية|كلمات الدلاليه|وسوم|الوسوم|tags|Keywords"
    ),
    MarkerKind.RELATED: "اقرأ أيضا|إقرأ أيضاً|اقرأوا أيضا|اقرؤوا أيضا|طالع أيضا|شاهد ايضا",
    MarkerKind.SIMILAR: (
        "مقالات مشابهة|مواضيع متعلقة|موضوعات مرتبطة|أخبار ذات صلة|مواد ذات الصلة|المقالات المشابهة|الأخبار ذات الصلة"
    ),
}
INVISIBLE = [0x061C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF]


def found(raw: str) -> list[Marker]:
    return list(find_markers(raw))


@pytest.mark.parametrize(
    ("kind", "spelling"), [(kind, one) for kind, all in SPELLINGS.items() for one in all.split("|")]
)
def test_every_spelling_of_a_marker(kind: MarkerKind, spelling: str) -> None:
    assert found(f"نص\n{spelling}: قيمة\nنص") == [Marker(kind, 3, "قيمة", 9 + len(spelling))]
    assert found(f"نص\n{spelling}\nنص") == [Marker(kind, 3, "", 3 + len(spelling))]
    assert found(f"نص {spelling}: قيمة") == found(f"{spelling}ون: قيمة") == []


@pytest.mark.parametrize("spelling", ["المَصْدَر", "المصـــدر", "ال\u200cمصدر", "ٱلمصدر", "اْلمصدر", "المصدرُ"])
def test_marks_and_tatweel_within_a_marker_do_not_matter(spelling: str) -> None:
    assert [marker.value for marker in found(f"{spelling}: رويترز")] == ["رويترز"]


def test_every_mark_and_every_variant_of_a_letter_is_read() -> None:
    arabic = (*range(0x0600, 0x0700), *INVISIBLE)
    folded = {chr(code): normalise(chr(code)) for code in arabic}
    marks = [char for char, plain in folded.items() if not plain]
    assert len(marks) > 70
    assert all(found(f"مصد{mark}ر: رويترز") for mark in marks)
    assert found(f"م{''.join(marks)}صدر: رويترز")
    for char, plain in folded.items():
        if plain in tuple("كلماتدلاليهمفتاحيه") and plain != char:
            spelling = "كلمات مفتاحيه" if plain in "حف" else "كلمات دلاليه"
            assert found(f"{spelling.replace(plain, char)}: قيمة"), char


@pytest.mark.parametrize("blank", [" ", "  ", "\t", "\u00a0", "\u200f ", "\u3000"])
def test_any_blank_may_stand_between_the_words_of_a_marker(blank: str) -> None:
    assert [marker.kind for marker in found(f"كلمات{blank}دلالية{blank}:{blank}البصرة")] == [MarkerKind.TAGS]
    assert found(f"كلماتدلالية:{blank}البصرة") == []


@pytest.mark.parametrize("char", [chr(code) for code in INVISIBLE])
def test_invisible_characters_may_surround_a_line(char: str) -> None:
    assert char in EDGE_CHARS
    assert found(f"{char}المصدر{char}:{char}رويترز{char}") == [Marker(MarkerKind.SOURCE, 0, "رويترز", 17)]


def test_white_space_and_invisible_characters_are_no_others() -> None:
    assert sorted({*EDGE_CHARS} - {*SPACE_CHARS}) == sorted(map(chr, {*INVISIBLE} - {0xFEFF}))
    assert {*SPACE_CHARS} == {char for char in map(chr, range(0x110000)) if char.isspace()} | {"\ufeff"}


@pytest.mark.parametrize("before", [*"•·●▪■◦‣*>#|[(-", "•\u200f ", "** ", "[ "])
def test_bullets_and_brackets_may_stand_before_a_marker(before: str) -> None:
    assert found(f"{before}المصدر: رويترز") == [Marker(MarkerKind.SOURCE, 0, "رويترز", len(before) + 14)]


@pytest.mark.parametrize("before", ["1. ", "في ", "/", "،", "x"])
def test_nothing_else_may_stand_before_a_marker(before: str) -> None:
    assert found(f"{before}المصدر: رويترز") == []


@pytest.mark.parametrize("colon", [":", "：", " :", "):", "]:", "**:", ":**", " - ", " – ", " — ", " | "])
def test_a_colon_or_dash_makes_a_marker_of_any_kind(colon: str) -> None:
    for kind in MarkerKind:
        spelling = SPELLINGS[kind].split("|")[0]
        assert [marker[:3] for marker in found(f"{spelling}{colon}قيمة.")] == [(kind, 0, "قيمة.")]


@pytest.mark.parametrize("colon", [" ", " -", " /", "، "])
def test_without_one_only_tags_and_related_articles_follow_on_the_line(colon: str) -> None:
    kinds = {kind for kind, all in SPELLINGS.items() if found(f"{all.split('|')[0]}{colon}قيمة")}
    assert kinds == {MarkerKind.TAGS, MarkerKind.RELATED}


@pytest.mark.parametrize("ending", [".", "،", ",", ":", ";", "؛"])
def test_without_one_a_sentence_is_no_marker(ending: str) -> None:
    assert found(f"كلمات دلالية كثيرة في الخطاب{ending}") == found(f"اقرأ أيضا ما كتبه الزوار{ending}") == []
    assert len(found(f"كلمات دلالية {ending}البصرة")) == 1


def test_without_one_the_english_words_are_no_markers() -> None:
    assert found("tags البصرة") == found("keywords البصرة") == []
    assert len(found("tags\nkeywords")) == 2


@pytest.mark.parametrize(("length", "is_marker"), [(80, True), (81, False)])
def test_a_source_is_short(length: int, is_marker: bool) -> None:
    assert bool(found(f"المصدر: {'ا' * length}")) is is_marker
    assert found(f"وسوم: {'ا' * length}")


def test_markers_come_in_their_order_and_end_with_their_lines() -> None:
    raw = "المصدر: رويترز\r\nوسوم:البصرة\rاقرأ أيضا\n\nمقالات مشابهة: "
    assert found(raw) == [
        Marker(MarkerKind.SOURCE, 0, "رويترز", 14),
        Marker(MarkerKind.TAGS, 16, "البصرة", 27),
        Marker(MarkerKind.RELATED, 28, "", 37),
        Marker(MarkerKind.SIMILAR, 39, "", 54),
    ]
