"""Weak labels from headlines."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import ROOT
from wusum.model.errors import CorpusError
from wusum.train.data.corpora import LabelMap
from wusum.train.data.cues import Cues

TOPICS = LabelMap.load(ROOT / "configs" / "topics.yaml")


@pytest.fixture(scope="module")
def cues() -> Cues:
    """The cues of the bundled model."""
    return Cues.load(ROOT / "configs" / "cues.yaml", TOPICS)


def index(*keys: str) -> tuple[int, ...]:
    return tuple(sorted(map(TOPICS.keys.index, keys)))


@pytest.mark.parametrize(
    ("title", "topic"),
    [
        ("الأرصاد: طقس حار على معظم المناطق", "weather"),
        ("وفاة ثلاثة أشخاص في حادثِ سيرٍ بالقيروان", "disaster"),
        ("فيضانات تشرّد الآلاف", "disaster"),
        ("بالتعليم نبني المستقبل", "education"),
        ("جامعة القاهرة تعلن نتائجها", "education"),
        ("إضراب عام يشل النقل", "labour"),
        ("مؤتمر دولي لمواجهة التغير المناخي", "environment"),
        ("جمعية للأيتام تحتفل بعامها العاشر", "society"),
        ("محكمة تقضي بسجن متهم بالسرقة", "crime"),
    ],
)
def test_a_headline_has_the_topic_of_its_cue(cues: Cues, title: str, topic: str) -> None:
    assert cues.topic(title) == index(topic)[0]


@pytest.mark.parametrize(
    "title",
    [
        "جامعة الدول العربية تجتمع في القاهرة",
        "أسرى يواصلون إضرابا عن الطعام",
        "الفريق يفوز بكأس السوبر الخيرية",
        "حريق في مدارس المدينة",
        "إضراب المعلمين والطلاب في المدارس",
        "لا شيء هنا",
        "",
    ],
)
def test_a_headline_of_two_topics_or_none_or_with_a_veto_has_no_topic(cues: Cues, title: str) -> None:
    assert cues.topic(title) is None


def test_a_headline_narrows_a_label_and_never_overrules_it(cues: Cues) -> None:
    crash, arrest = "حادث مروري يودي بحياة شخصين", "القبض على مروج مخدرات"
    either = index("crime", "disaster")
    assert cues.narrow(either, crash) == index("disaster")
    assert cues.narrow(either, arrest) == index("crime")
    assert cues.narrow(either, "خبر بلا دليل") == either
    assert cues.narrow(index("sport"), crash) == index("sport")
    assert cues.narrow((), crash) == index("disaster")
    assert cues.narrow((), arrest) == ()  # crime has labels of its own: no need to guess


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("label: {sports: [x]}\nnarrow: {}", "no topic 'sports'"),
        ("label: {sport: ['(']}\nnarrow: {}", "sport: "),
        ("label: [", "while parsing"),
    ],
)
def test_invalid_cues_are_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "cues.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CorpusError, match=reason):
        Cues.load(path, TOPICS)
