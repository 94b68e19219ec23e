"""Tag lines: every separator, and lines that have none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wusum.model.pages import tag_line
from wusum.model.pages.tag_line import TagLine, parse_tags
from wusum.model.text.words import match_key

TEXT = (
    "افتتح وزير الزراعة سالم القاضي معرض التمور في البصرة، وحضره سفير اليابان. وقال سالم القاضي إن معرض التمور "
    "سيقام كل عام، وزار المعرض وفد منظمة الأغذية والزراعة من روما."
)
TAGS = ("البصرة", "معرض التمور", "سالم القاضي", "اليابان")


@pytest.mark.parametrize(
    "line",
    [
        "البصرة, معرض التمور, سالم القاضي, اليابان",
        "البصرة،معرض التمور، سالم القاضي،اليابان.",
        "البصرة؛ معرض التمور؛ سالم القاضي؛ اليابان",
        "البصرة | معرض التمور | سالم القاضي | اليابان",
        "البصرة|معرض التمور|سالم القاضي|اليابان|",
        "#البصرة #معرض_التمور #سالم_القاضي #اليابان",
        "#البصرة، #معرض_التمور، #سالم_القاضي، #اليابان",
        "البصرة، #معرض_التمور، سالم القاضي، #اليابان",
        "#البصرة#معرض_التمور#سالم_القاضي#اليابان",
        "• البصرة\n• معرض التمور\n• سالم القاضي\n• اليابان",
        "البصرة\nمعرض التمور\nسالم القاضي\nاليابان",
        "البصرة • معرض التمور • سالم القاضي • اليابان",
        "البصرة - معرض التمور - سالم القاضي - اليابان",
        "البصرة\tمعرض التمور\tسالم القاضي\tاليابان",
        "البصرة  معرض التمور  سالم القاضي  اليابان",
        "البصرة معرض التمور سالم القاضي اليابان",
        "البصرة معرض_التمور سالم_القاضي اليابان",
        "ملفات، البصرة، معرض التمور، سالم القاضي، اليابان، البصرة، البَصرة",
    ],
)
def test_separators(line: str) -> None:
    assert parse_tags(line, TEXT) == TagLine(TAGS)


@pytest.mark.parametrize("menu", ["", "ملفات ", "ملفات ملفات ملفات ", "بوابتنا بوابتنا "])
@pytest.mark.parametrize("repeat", [0, 2, 3, 4])
@pytest.mark.parametrize("section", ["", "اقتصاد", "أخبار العالم", "أخبار العالم العربي", "ثقافة وفن"])
def test_a_line_without_separators(menu: str, repeat: int, section: str) -> None:
    line = menu + " ".join([*TAGS, *TAGS[:repeat], section])
    assert parse_tags(line, TEXT) == TagLine(TAGS, section)


@pytest.mark.parametrize(
    ("line", "tags"),
    [
        # The text has no word of these, so grammar alone decides.
        ("تركيا المحكمة الدستورية فرنسا", ("تركيا", "المحكمة الدستورية", "فرنسا")),
        ("الأمم المتحدة وزارة الخارجية السورية لبنان", ("الأمم المتحدة", "وزارة الخارجية السورية", "لبنان")),
        ("الانتخابات في بوليفيا العراق", ("الانتخابات في بوليفيا", "العراق")),
        ("البنك المركزي كأس العالم", ("البنك المركزي", "كأس العالم")),
        # A last word that equals the first by chance is not a repetition.
        ("اليابان البصرة سفير اليابان", ("اليابان", "البصرة", "سفير اليابان")),
        # A conjunction between two words of the text does not join them into one tag.
        ("الأغذية روما", ("الأغذية", "روما")),
    ],
)
def test_boundaries(line: str, tags: tuple[str, ...]) -> None:
    assert parse_tags(line, TEXT).tags == tags


def test_spelling_and_clitics_of_the_text_do_not_matter() -> None:
    text = "وصل الى باماكو، وقال المبعوث لباماكو نيوز ان اموسى كوليبالي قادم. والتقى بموسى كوليبالي في باماكو."
    assert parse_tags("باماكو موسى كوليبالي", text).tags == ("باماكو", "موسى كوليبالي")


@pytest.mark.parametrize("line", ["", " ", "ملفات", "ملفات ملفات", "|،|", "#", "# #", "_", "- -", "…", '"'])
def test_lines_without_a_tag(line: str) -> None:
    assert parse_tags(line, TEXT) == TagLine()


def test_a_line_of_a_section_only() -> None:
    assert parse_tags("رياضة", TEXT) == TagLine((), "رياضة")
    assert parse_tags("#البصرة رياضة", TEXT) == TagLine(("البصرة",), "رياضة")


@pytest.mark.parametrize("between", [" | ", "، ", ", ", "\n", "  "])
@pytest.mark.parametrize(
    ("last", "section"),
    [
        ("أخبار العالم", "أخبار العالم"),
        ("الأخبار العربية والعالمية", "الأخبار العربية والعالمية"),
        ("منوعات", "منوعات"),
        # Editors may use these as tags.
        ("سياسة", ""),
        ("رياضة", ""),
        ("الشرق الأوسط", ""),
        ("أخبار لبنان", ""),
    ],
)
def test_only_names_that_are_never_tags_are_sections_after_separators(between: str, last: str, section: str) -> None:
    line = between.join([*TAGS, last])
    assert parse_tags(line, TEXT) == TagLine(TAGS if section else (*TAGS, last), section)


def test_numbers_keep_their_comma() -> None:
    assert parse_tags("1,000 لاجئ, البصرة", TEXT).tags == ("1,000 لاجئ", "البصرة")


@pytest.mark.parametrize("mark", "|،؛;•·●▪■,\t\r\n")
def test_every_separator_ends_a_tag(mark: str) -> None:
    assert parse_tags(f"البصرة{mark}روما 5{mark}اليابان", "").tags == ("البصرة", "روما 5", "اليابان")


@pytest.mark.parametrize("dash", "-–—/\\")
def test_a_dash_between_spaces_ends_a_tag_in_a_line_of_few_words(dash: str) -> None:
    assert parse_tags(f"البصرة {dash} معرض{dash}التمور", "").tags == ("البصرة", f"معرض{dash}التمور")
    assert parse_tags(f"معرض التمور الكبير {dash} سالم القاضي مدير المعرض", "").tags == (
        "معرض التمور الكبير",
        "سالم القاضي مدير المعرض",
    )
    longer = parse_tags(f"معرض التمور الكبير {dash} سالم القاضي مدير المعرض الكبير", "").tags
    assert longer[0] != "معرض التمور الكبير"


@pytest.mark.parametrize("edge", " \u00a0\u200e\u200f\u202a\u202b\u202c\ufeff.،,:؛;|_*-–—•·")
def test_punctuation_around_a_tag_is_dropped(edge: str) -> None:
    assert parse_tags(f"{edge}البصرة{edge} | {edge}معرض التمور{edge}", "").tags == ("البصرة", "معرض التمور")


def test_a_menu_before_tags_is_dropped() -> None:
    assert parse_tags("ملفات القائمة القائمة الرئيسية البصرة معرض التمور", TEXT).tags == ("البصرة", "معرض التمور")
    assert parse_tags("الرئيسيّة | البصرة | معرض التمور", TEXT).tags == ("البصرة", "معرض التمور")
    assert parse_tags("البصرة | ملفات | معرض التمور", TEXT).tags == ("البصرة", "ملفات", "معرض التمور")
    assert parse_tags("البصرة البصرة معرض التمور", TEXT).tags == ("البصرة", "معرض التمور")  # a word of the text
    assert parse_tags("بوابتنا البصرة معرض التمور", TEXT).tags[0].startswith("بوابتنا")


def test_a_tag_that_is_written_twice_is_given_as_first_written() -> None:
    assert parse_tags("البَصرة، البصرة، «معرض التمور»، معرض  التمور", "").tags == ("البَصرة", "«معرض التمور»")


@pytest.mark.parametrize(("bars", "last"), [(9_990, ("البصرة", "روما")), (9_991, ("البصرة", "روم"))])
def test_the_first_10000_characters_of_a_line_are_read(bars: int, last: tuple[str, ...]) -> None:
    assert parse_tags(f"البصرة{'|' * bars}روما", "").tags == last


@pytest.mark.parametrize(("length", "joined"), [(200_000, True), (200_001, False)])
def test_the_first_200000_characters_of_the_page_are_evidence(length: int, joined: bool) -> None:
    pair = "روما طوكيو"
    text = " " * (length - len(pair)) + pair
    found = parse_tags("نجوم الخليج روما طوكيو", text).tags
    assert found == (("نجوم الخليج", pair) if joined else ("نجوم الخليج", "روما", "طوكيو"))


# ---- lines without separators, with scores given by hand


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Callable[..., TagLine]:
    """Cuts a line with these scores of its gaps."""

    def cut(line: str, *scores: float) -> TagLine:
        monkeypatch.setattr(tag_line, "boundary_scores", lambda plain, phrases: list(scores))
        return parse_tags(line, "")

    return cut


def test_tags_end_in_the_gaps_with_positive_scores(cut: Callable[..., TagLine]) -> None:
    assert cut("روما دبي قطر", 0.1, -0.1) == TagLine(("روما", "دبي قطر"))
    assert cut("روما دبي قطر", -0.1, 0.1) == TagLine(("روما دبي", "قطر"))
    assert cut("روما") == TagLine(("روما",))


@pytest.mark.parametrize(
    ("line", "tags"),
    [
        ("روما دبي كرة_القدم قطر تونس", ("روما دبي", "كرة القدم", "قطر تونس")),
        ("كرة_القدم روما دبي قطر تونس", ("كرة القدم", "روما دبي قطر تونس")),
        ("روما دبي قطر تونس كرة_القدم", ("روما دبي قطر تونس", "كرة القدم")),
        ("روما دبي قطر كرة_القدم تونس", ("روما دبي قطر", "كرة القدم", "تونس")),
    ],
)
def test_words_joined_by_underscores_are_a_tag(cut: Callable[..., TagLine], line: str, tags: tuple[str, ...]) -> None:
    assert cut(line, -9, -9, -9, -9) == TagLine(tags)
    assert cut("كرة_القدم روما دبي قطر", -9, 9, -9) == TagLine(("كرة القدم", "روما", "دبي قطر"))
    assert cut("روما دبي كرة_القدم تونس قطر", 9, -9, -9, -9).tags == ("روما", "دبي", "كرة القدم", "تونس قطر")


def test_a_section_ends_the_line_unless_it_belongs_to_the_last_tag(cut: Callable[..., TagLine]) -> None:
    assert cut("كأس العالم", -1.0) == TagLine(("كأس العالم",))
    assert cut("كأس العالم", -0.99) == TagLine(("كأس",), "العالم")
    assert cut("روما أخبار العالم العربي", 0.5, 9, 9) == TagLine(("روما",), "أخبار العالم العربي")
    assert cut("أخبار العالم", 9) == TagLine((), "أخبار العالم")
    eight = "روما دبي قطر تونس لندن صور عدن حلب"
    assert cut(f"{eight} رياضة", -5, -5, -5, -0.2, -5, -5, -5, -0.5) == TagLine((eight,), "رياضة")


def test_a_beginning_that_comes_again_at_the_end_is_dropped_and_ends_a_tag(cut: Callable[..., TagLine]) -> None:
    line = "روما دبي لندن روما دبي"
    assert cut(line, -9, -1.5, -0.99, -9) == TagLine(("روما دبي", "لندن"))
    assert cut(line, -9, -2.5, -0.99, -9) == TagLine(("روما دبي لندن",))
    assert cut(line, -9, -1.5, -1.0, -9) == TagLine((line,))
    assert cut(f"{line} رياضة", -9, -1.5, -0.99, -9, 0) == TagLine(("روما دبي", "لندن"), "رياضة")
    assert cut("روما دبي روما دبي", -9, 9, -9) == TagLine(("روما دبي",))


def test_a_word_that_comes_again_may_be_chance(cut: Callable[..., TagLine]) -> None:
    assert cut("روما دبي لندن روما", -9, -9, 0.1) == TagLine(("روما دبي لندن",))
    assert cut("روما دبي لندن روما", -9, -9, 0.0) == TagLine(("روما دبي لندن", "روما"))


@given(st.lists(st.sampled_from("ab"), max_size=12))
def test_the_border_is_the_longest_beginning_that_is_also_an_end(line: list[str]) -> None:
    borders = [size for size in range(len(line)) if line[:size] == line[len(line) - size :]]
    assert tag_line._border(line) == max(borders, default=0)


def test_sections_that_are_never_tags_are_sections() -> None:
    assert tag_line._ONLY_SECTIONS < tag_line.SECTIONS
    assert len(tag_line._ONLY_SECTIONS) > 30
    assert match_key("منوعات") in tag_line._ONLY_SECTIONS
    assert match_key("سياسة") not in tag_line._ONLY_SECTIONS
