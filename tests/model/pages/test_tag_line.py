"""Tag lines: every separator, and lines that have none."""

import pytest

from wusum.model.pages.tag_line import TagLine, parse_tags

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
