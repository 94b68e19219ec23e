"""Article.from_page: every spelling of a marker, where the body ends, and the real pages of ../shared where present."""

from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import ROOT
from wusum.eval.config import EvalConfig
from wusum.eval.measures.answers import Key
from wusum.eval.suites.parser import SUITE
from wusum.model.article import Article
from wusum.train.data.corpora import rows

SHARED = ROOT.parent / "shared"

FIRST = "افتتح وزير الزراعة سالم القاضي معرض التمور في مدينة البصرة، بحضور سفير اليابان."
SECOND = "وقال المصدر إن المعرض يستمر أسبوعا، اقرأ أيضا ما كتبه الزوار، وهذه كلمات دلالية في وصفه."
BODY = f"{FIRST}\n\n{SECOND}"
OTHER = "جرت السباقات على الشاطئ أمس، وفاز بها زورق من المدينة."
LONG = " ".join([OTHER] * 10)


def parsed(raw: str) -> Article:
    article = Article.from_page(raw, "id-1")
    assert article.id == "id-1"
    for part in (article, *article.related):
        assert raw[part.offset : part.offset + len(part.body)] == part.body
    return article


@pytest.mark.parametrize("text", [FIRST, BODY, "كلمة", f"{BODY}\n{OTHER}", f"عنوان بلا نقطة\n\n{BODY}"])
def test_a_plain_article_is_all_body(text: str) -> None:
    assert parsed(f"  {text}\n") == Article("id-1", text, offset=2)


@pytest.mark.parametrize(
    "line",
    ["المصدر: رويترز", "المصدر:رويترز", "المصدر : رويترز", "المصدر:\nرويترز", "المصدر\nرويترز", "مصدر الخبر: رويترز",
     "المَصدر: رويترز", "المصـــدر: رويترز", "\u200fالمصدر: رويترز\u200f", "**المصدر:** رويترز", "• المصدر: رويترز"],
)  # fmt: skip
def test_source_markers(line: str) -> None:
    article = parsed(f"{BODY}\n\n{line}\n")
    assert (article.body, article.source) == (BODY, "رويترز")


@pytest.mark.parametrize("colon", [":", " :", " : ", "", ":\n", "\n\n"])
@pytest.mark.parametrize(
    "marker",
    ["كلمات دلالية", "الكلمات الدلالية", "كلمات مفتاحية", "الكلمات المفتاحية", "كلماتٌ مفتاحيّة", "وسوم", "الوسوم"],
)
def test_tag_markers(marker: str, colon: str) -> None:
    article = parsed(f"{BODY}\n\n{marker}{colon} البصرة | معرض التمور")
    assert (article.body, article.tags) == (BODY, ("البصرة", "معرض التمور"))


@pytest.mark.parametrize("colon", ["", ":", " :"])
@pytest.mark.parametrize("marker", ["إقرأ أيضاً", "اقرأ أيضاً", "اقرأ أيضا", "إقرأ أيضا", "اقرأ أيضًا", "إقرأ أيضًا"])
def test_related_markers(marker: str, colon: str) -> None:
    article = parsed(f"{BODY}\n\nالمصدر: رويترز\n\n{marker}{colon}\n\nسباق الزوارق\n\n{OTHER}\n\nالمصدر:RT\n")
    assert (article.body, article.source) == (BODY, "رويترز")
    assert [(other.title, other.body, other.source) for other in article.related] == [("سباق الزوارق", OTHER, "RT")]


@pytest.mark.parametrize("bullet", ["", "• ", "  • ", "- ", "* ", "1. "])
@pytest.mark.parametrize(
    "marker",
    ["مقالات مشابهة", "مواضيع ذات صلة", "أخبار ذات صلة", "اخبار ذات صله:", "المقالات المشابهة", "مقالات ذات صلة :"],
)
def test_markers_of_headlines(marker: str, bullet: str) -> None:
    article = parsed(f"{BODY}\n\n{marker}\n\n{bullet}خبر أول\n{bullet}خبر ثان: سؤال؟\n")
    assert (article.body, article.similar) == (BODY, ("خبر أول", "خبر ثان: سؤال؟"))


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_whole_page(newline: str) -> None:
    lines = ["\ufeffمعرض\u00a0التمور يفتتح في البصرة", "", FIRST, "", SECOND, "", "المصدر: رويترز", "",
             "كلمات دلالية: ملفات ملفات البصرة معرض التمور سالم القاضي البصرة معرض التمور اقتصاد", "", "إقرأ أيضاً:", "",
             "سباق الزوارق", "", OTHER, "", "المصدر:RT", "", "مقالات مشابهة", "", "  • خبر أول"]  # fmt: skip
    article = parsed(newline.join(lines))
    assert article.title == "معرض\u00a0التمور يفتتح في البصرة"
    assert article.body == BODY.replace("\n", newline)
    assert article.tags == ("البصرة", "معرض التمور", "سالم القاضي")
    assert (article.source, article.section, article.similar) == ("رويترز", "اقتصاد", ("خبر أول",))
    assert [(other.title, other.body, other.source) for other in article.related] == [("سباق الزوارق", OTHER, "RT")]


@pytest.mark.parametrize(
    ("first", "is_title"),
    [
        ("معرض التمور يفتتح في البصرة", True),
        ("هل يفتتح المعرض؟", True),
        ("افتتح المعرض.", False),
        ("كلمات " * 20, False),
        ("{", False),
    ],
)
def test_a_headline_is_short_and_no_sentence(first: str, is_title: bool) -> None:
    article = parsed(f"{first}\n\n{FIRST}\n\nالمصدر: رويترز")
    assert article.title == (first if is_title else "")
    assert article.body == (FIRST if is_title else f"{first}\n\n{FIRST}")


@pytest.mark.parametrize(
    "sentence",
    [
        "المصدر الأمني نفى الخبر.",
        "المصدر: " + " ".join(["لا أعلم ما يجري هناك"] * 6),
        "كلمات دلالية كثيرة في الخطاب.",
        "أخبار ذات صلة بالمعرض لم تصل.",
        "اقرأ أيضا ما كتبه الزوار.",
        f"{OTHER} المصدر: رويترز",
    ],
)
def test_a_sentence_is_no_marker(sentence: str) -> None:
    assert parsed(f"{FIRST}\n\n{sentence}\n\n{OTHER}\n\nالمصدر: رويترز").body == f"{FIRST}\n\n{sentence}\n\n{OTHER}"


@pytest.mark.parametrize(
    "offer",
    [
        "اقرأ أيضاً: سباق الزوارق",
        "اقرأ أيضاً\n• سباق الزوارق",
        "أخبار ذات صلة\n• سباق الزوارق",
        f"المصدر: رويترز\n\n{LONG}",
    ],
)
def test_the_body_goes_on_under_an_offer_to_read_more(offer: str) -> None:
    article = parsed(f"{FIRST}\n\n{offer}\n\n{OTHER}\n\nالمصدر: الأناضول\n\nوسوم: البصرة، اليابان")
    assert article.body == f"{FIRST}\n\n{offer}\n\n{OTHER}"
    assert (article.source, article.tags) == ("الأناضول", ("البصرة", "اليابان"))


def test_source_and_tags_above_the_body() -> None:
    article = parsed(
        f"معرض التمور\nالمصدر: رويترز\nوسوم: البصرة، اليابان\n\n{BODY}\n\nاقرأ أيضا\n\nسباق الزوارق\n\n{OTHER}"
    )
    assert (article.title, article.body, article.source) == ("معرض التمور", BODY, "رويترز")
    assert article.tags == ("البصرة", "اليابان")
    assert len(article.related) == 1


def test_several_related_articles_and_a_footer() -> None:
    story = f"اقرأ أيضا\n\nسباق الزوارق\n\n{OTHER}\n\nالمصدر: RT\n\n"
    article = parsed(f"{BODY}\n\nالمصدر: رويترز\n\nجميع الحقوق محفوظة.\n\n{story}{story}")
    assert (article.body, article.source) == (BODY, "رويترز")
    assert [other.source for other in article.related] == ["RT", "RT"]


@pytest.mark.parametrize(
    "raw", ["", " \n\t", "المصدر: RT\n\nكلمات دلالية:\n\nاقرأ أيضا\n\nمقالات مشابهة", "\ufeff\u200f\n"]
)
def test_no_body(raw: str) -> None:
    assert parsed(raw).body == ""


LINES = st.sampled_from(
    ["", " ", "المصدر: رويترز", "المصدر:", "كلمات دلالية: موسكو رويترز موسكو", "وسوم:", "اقرأ أيضا", "اقرأ أيضاً: عنوان",
     "مقالات مشابهة", "• عنوان", "عنوان", FIRST, LONG, "\u200f", "#وسم_ أول", "_ _"]
)  # fmt: skip


@settings(deadline=None)
@given(st.text() | st.lists(LINES | st.text(max_size=10)).map("\n".join) | st.lists(LINES).map("\r\n".join))
def test_any_text_has_its_offsets(raw: str) -> None:
    article = Article.from_page(raw)
    for part in (article, *article.related):
        assert raw[part.offset : part.offset + len(part.body)] == part.body == part.body.strip()


@pytest.mark.parametrize(
    "unit",
    [
        "المصدر: x\n",
        "اقرأ أيضا\nعنوان\n",
        "كلمات دلالية: غزة موسكو\n",
        "•",
        " ",
        "\n",
        "ا\u064b",
        "اقرأ أيضا: س\n",
        "المصدر ",
    ],
)
def test_a_hostile_page_takes_linear_time(unit: str) -> None:
    page = unit * (1_000_000 // len(unit))
    begin = process_time()
    parsed(page)
    parsed(f"{FIRST}\n\nوسوم: {page}")
    assert process_time() - begin < 60  # a second or two; hours for steps that grow with the square of the length


def test_the_seed_page() -> None:
    seeds = sorted((SHARED / "seed").glob("*.txt"))
    if not seeds:
        pytest.skip("../shared is not here")
    article = parsed(seeds[0].read_text(encoding="utf-8"))
    assert article.tags == (
        "وزارة الخارجية الروسية", "موسكو", "الكرملين", "فلاديمير بوتين", "فولوديمير زيلينسكي", "دميتري بيسكوف", "روسيا",
        "واشنطن", "أوكرانيا", "لافروف", "ماركو روبيو",
    )  # fmt: skip
    assert (article.title, article.source, article.section) == ("", "سكاي نيوز عربية", "أخبار العالم")
    assert article.offset == 0
    assert not any(marker in article.body for marker in ("المصدر", "دلالية", "أيضاً:"))
    assert len(article.body.split("\n\n")) == 9
    assert [(len(other.title.split()), len(other.body.split("\n\n")), other.source) for other in article.related] == [
        (12, 6, "RT")
    ]
    assert len(article.similar) == 10


def test_the_raw_pages() -> None:
    if not (SHARED / "data" / "raw_pages.jsonl.xz").exists():
        pytest.skip("../shared is not here")
    nobody: Any = None  # the parser needs no model
    found = SUITE.answer(Key("parser", "raw_pages"), nobody, EvalConfig(SHARED / "data", Path("configs/topics.yaml")))
    assert len(found.ids) == sum(bool(row.get("truth")) for row in rows(SHARED / "data", "raw_pages"))
    least = {
        "title": 0.95,
        "body": 0.95,
        "source": 0.97,
        "section": 0.97,
        "tags F1": 0.92,
        "similar": 0.95,
        "related": 0.95,
    }
    for score in found.scores():
        assert score.value >= least.pop(score.metric), score
    assert not least
