"""The layout of a page at its limits: headlines, sources, tag lists, and where the body ends."""

from __future__ import annotations

import pytest

from wusum.model.pages.layout import ArticleSpan, Page, parse_page

PROSE = "افتتح وزير الزراعة سالم القاضي معرض التمور في مدينة البصرة أمس."
MORE = "جرت السباقات على الشاطئ أمس، وفاز بها زورق من المدينة."


def line_of(length: int, end: str = "") -> str:
    """A line of so many characters."""
    return ("خبر " * length)[: length - 1 - len(end)] + "ر" + end


def body(raw: str) -> str:
    main = parse_page(raw).main
    return raw[main.start : main.end]


def related(page: Page, raw: str) -> list[tuple[str, str, str]]:
    return [(other.title, raw[other.start : other.end], other.source) for other in page.related]


def test_a_page_without_markers_is_all_body() -> None:
    assert parse_page(PROSE) == Page(ArticleSpan("", 0, len(PROSE)), ((), ""), (), ())


# ---- headlines


@pytest.mark.parametrize(("first", "found"), [(line_of(100), True), (line_of(101), False), ("{", False)])
def test_a_headline_has_a_letter_and_at_most_100_characters(first: str, found: bool) -> None:
    raw = f"{first}\n\n{PROSE}\n\nالمصدر: رويترز"
    assert parse_page(raw).main.title == (first if found else "")
    assert body(raw) == (PROSE if found else f"{first}\n\n{PROSE}")


@pytest.mark.parametrize(
    ("between", "found"),
    [("\n\n", True), ("\r\n\r\n", True), ("\r\r", True), ("\n", False), ("\r\n", False), ("\r", False)],
)
def test_a_blank_line_follows_a_headline(between: str, found: bool) -> None:
    raw = f"معرض التمور{between}{PROSE}{between}المصدر: رويترز"
    assert parse_page(raw).main.title == ("معرض التمور" if found else "")
    assert parse_page(raw).main.source == "رويترز"


def test_a_line_alone_above_the_markers_is_the_body() -> None:
    raw = f"معرض التمور\n\nاقرأ أيضا\n\nسباق الزوارق\n\n{MORE}"
    assert (parse_page(raw).main.title, body(raw)) == ("", "معرض التمور")
    assert related(parse_page(raw), raw) == [("سباق الزوارق", MORE, "")]


@pytest.mark.parametrize(
    ("above", "title"),
    [("", ""), ("معرض التمور\n", "معرض التمور"), ("{\n", None), ("معرض\nالتمور\n", None), (f"{PROSE}\n", None)],
)
def test_only_a_headline_may_stand_above_a_source_that_opens_the_page(above: str, title: str | None) -> None:
    raw = f"{above}المصدر: رويترز\n\n{PROSE}"
    page = parse_page(raw)
    assert page.main.source == "رويترز"
    assert (page.main.title, body(raw)) == (("", above.strip()) if title is None else (title, PROSE))


# ---- sources


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (line_of(80), True),
        (line_of(81), False),
        ("وكالة الأنباء.", False),
        ("وكالة الأنباء:", False),
        (".الوكالة", True),
    ],
)
def test_a_source_below_its_marker_is_short_and_no_sentence(line: str, found: bool) -> None:
    raw = f"{PROSE}\n\nالمصدر:\n{line}\n"
    assert parse_page(raw).main.source == (line if found else "")


def test_the_source_of_a_related_article_is_not_that_of_the_page() -> None:
    raw = f"{PROSE}\n\nاقرأ أيضا\n\nسباق الزوارق\n\n{MORE}\n\nالمصدر: سانا"
    assert parse_page(raw).main.source == ""
    assert related(parse_page(raw), raw) == [("سباق الزوارق", MORE, "سانا")]


def test_each_related_article_has_the_source_below_it() -> None:
    stories = [("سباق الزوارق", "RT"), ("سوق السمك", "سانا"), ("مرفأ جديد", "")]
    parts = [
        f"اقرأ أيضا\n\n{title}\n\n{MORE}" + (f"\n\nالمصدر: {source}" if source else "") for title, source in stories
    ]
    raw = "\n\n".join([PROSE, "المصدر: رويترز", "المصدر: غيرها", *parts])
    page = parse_page(raw)
    assert (body(raw), page.main.source) == (PROSE, "رويترز")
    assert related(page, raw) == [(title, MORE, source) for title, source in stories]


# ---- the end of the body


@pytest.mark.parametrize(("length", "goes_on"), [(400, True), (399, False)])
def test_below_a_source_the_body_goes_on_with_400_characters_or_more(length: int, goes_on: bool) -> None:
    rest = line_of(length, ".")
    assert len(rest) == length
    raw = f"{PROSE}\n\nالمصدر: رويترز\n\n{rest}\n"
    assert body(raw) == (raw.strip() if goes_on else PROSE)


def test_a_long_related_article_below_the_source_does_not_continue_the_body() -> None:
    raw = f"{PROSE}\n\nالمصدر: رويترز\n\nاقرأ أيضا\n\nسباق الزوارق\n\n{line_of(450, '.')}"
    assert body(raw) == PROSE
    assert related(parse_page(raw), raw) == [("سباق الزوارق", line_of(450, "."), "")]


@pytest.mark.parametrize("raw", ["", " \n", "المصدر: رويترز", "\u200f\nالمصدر: رويترز"])
def test_a_page_may_have_no_body(raw: str) -> None:
    assert body(raw) == ""


@pytest.mark.parametrize(
    ("marker", "goes_on"),
    [("اقرأ أيضاً: سباق الزوارق", True), ("اقرأ أيضاً", False), ("مقالات مشابهة: سباق الزوارق", False)],
)
def test_without_tags_the_body_goes_on_only_below_a_headline_recommended(marker: str, goes_on: bool) -> None:
    raw = f"{PROSE}\n\n{marker}\n\n{MORE}"
    assert body(raw) == (raw if goes_on else PROSE)


def test_markers_inside_the_body_are_part_of_it() -> None:
    inside = f"{PROSE}\n\nالمصدر: سانا\n\n{line_of(400, '.')}\n\nاقرأ أيضاً: سباق الزوارق\n\n{MORE}"
    raw = f"{inside}\n\nالمصدر: رويترز\n\nوسوم: البصرة، اليابان"
    page = parse_page(raw)
    assert (body(raw), page.main.source, page.tags.tags) == (inside, "رويترز", ("البصرة", "اليابان"))
    assert (page.similar, page.related) == ((), ())


def test_below_a_tag_line_the_body_goes_on_as_below_a_source() -> None:
    raw = f"{PROSE}\n\nوسوم: البصرة، اليابان\n\n{line_of(400, '.')}"
    page = parse_page(raw)
    assert (body(raw), page.tags.tags) == (raw, ("البصرة", "اليابان"))
    raw = f"وسوم: البصرة، اليابان\n\n{PROSE}"
    page = parse_page(raw)
    assert (body(raw), page.tags.tags) == (PROSE, ("البصرة", "اليابان"))


@pytest.mark.parametrize("line", ["سباق الزوارق", f"• {line_of(150, '.')}", f"1. {line_of(150, '.')}"])
def test_headlines_and_bullets_are_no_prose(line: str) -> None:
    """So the body does not go on with them, and they are no article."""
    raw = f"{PROSE}\n\nاقرأ أيضا\n{line}\n{line}\n\nوسوم: البصرة"
    page = parse_page(raw)
    assert (body(raw), page.related) == (PROSE, ())
    assert len(page.similar) == 2


def test_after_500_markers_the_rest_is_text() -> None:
    for markers, tags in ((499, ("البصرة", "اليابان")), (500, ())):
        assert parse_page(f"{PROSE}\n\n" + "المصدر: رويترز\n" * markers + "وسوم: البصرة، اليابان").tags.tags == tags


# ---- related articles and headlines


@pytest.mark.parametrize(("length", "found"), [(200, True), (201, False)])
def test_the_first_line_of_a_related_article_is_its_headline_up_to_200_characters(length: int, found: bool) -> None:
    first = line_of(length)
    raw = f"{PROSE}\n\nاقرأ أيضا\n\n{first}\n\n{MORE}"
    assert related(parse_page(raw), raw) == [(first, MORE, "") if found else ("", f"{first}\n\n{MORE}", "")]


def test_a_related_article_of_one_line_has_no_headline() -> None:
    raw = f"{PROSE}\n\nاقرأ أيضا\n\n{MORE}\n\nمقالات مشابهة\n\n• سوق السمك"
    page = parse_page(raw)
    assert related(page, raw) == [("", MORE, "")]
    assert page.similar == ("سوق السمك",)


def test_a_related_article_may_have_its_headline_beside_the_marker() -> None:
    raw = f"{PROSE}\n\nالمصدر: رويترز\n\nاقرأ أيضا: سباق الزوارق\n\n{MORE}\n"
    assert related(parse_page(raw), raw) == [("سباق الزوارق", MORE, "")]


def test_at_most_100_headlines_are_read() -> None:
    listed = [f"خبر {number}" for number in range(101)]
    page = parse_page(f"{PROSE}\n\nمقالات مشابهة\n" + "\n".join(listed))
    assert page.similar == tuple(listed[:100])


def test_of_a_list_with_bullets_only_they_are_headlines() -> None:
    page = parse_page(f"{PROSE}\n\nمقالات مشابهة: سوق السمك\n• خبر أول\nحقوق النشر محفوظة\n• خبر ثان\n•\n")
    assert page.similar == ("سوق السمك", "خبر أول", "خبر ثان")


# ---- tags


@pytest.mark.parametrize(
    ("listed", "tags"),
    [
        ("البصرة\nاليابان", ("البصرة", "اليابان")),
        ("\nالبصرة\nاليابان\n\nحقوق النشر", ("البصرة", "اليابان")),
        ("• البصرة\n\n• اليابان\nحقوق النشر\n• روما", ("البصرة", "اليابان")),
        ("1. البصرة\n2. اليابان", ("البصرة", "اليابان")),
        ("1) البصرة\n12- اليابان", ("البصرة", "اليابان")),
        ("البصرة\n• اليابان", ("البصرة", "اليابان")),
        (f"البصرة\n{line_of(80)}\nروما", ("البصرة", line_of(80), "روما")),
        (f"البصرة\n{line_of(81)}\nروما", ("البصرة",)),
    ],
)
def test_tags_below_their_marker_end_at_a_blank_line_a_long_one_or_the_last_bullet(
    listed: str, tags: tuple[str, ...]
) -> None:
    for before in ("", "خبر طويل. " * 2000):
        assert parse_page(f"{before}{PROSE}\n\nوسوم:\n{listed}").tags.tags == tags


@pytest.mark.parametrize(("blanks", "found"), [(9_992, True), (9_993, False)])
def test_tags_below_their_marker_begin_within_10000_characters(blanks: int, found: bool) -> None:
    page = parse_page(f"{PROSE}\n\nوسوم:\nالبصرة{' ' * blanks}\nروما\nطوكيو")
    assert page.tags.tags == (("البصرة", "روما") if found else ("البصرة",))


def test_the_tags_below_the_body_come_before_those_above_it() -> None:
    above, below = "وسوم: البصرة، اليابان", "وسوم: روما، طوكيو"
    assert parse_page(f"{above}\n\n{PROSE}\n\n{below}").tags.tags == ("روما", "طوكيو")
    assert parse_page(f"{above}\n\n{PROSE}\n\nوسوم:").tags.tags == ("البصرة", "اليابان")
    assert parse_page(f"{PROSE}\n\n{below}\n\n{above}").tags.tags == ("روما", "طوكيو")


def test_unseparated_tags_are_cut_by_the_rest_of_the_page() -> None:
    """The text above and below shows which words belong together; the line itself does not."""
    joined = ("نجوم الخليج", "روما طوكيو")
    line, pair = "وسوم: نجوم الخليج روما طوكيو", "رحلة روما طوكيو تعود، قال مدير رحلة روما طوكيو."
    assert parse_page(f"{PROSE}\n\n{line}").tags.tags == ("نجوم الخليج", "روما", "طوكيو")
    assert parse_page(f"{pair}\n\n{line}").tags.tags == joined
    assert parse_page(f"{PROSE}\n\n{line}\n\nاقرأ أيضا\n\n{pair}").tags.tags == joined
