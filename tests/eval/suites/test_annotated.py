"""The suite of annotated articles."""

from __future__ import annotations

import json
import lzma
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import logit

from tests.support import eval_config, score_values
from wusum.eval.config import EvalConfig
from wusum.eval.gold import annotated_articles
from wusum.eval.measures.answers import Key, Labelling, Tagging
from wusum.eval.report.report import write_report
from wusum.eval.runner import evaluate
from wusum.eval.suites.annotated import SUITE
from wusum.model.errors import CorpusError
from wusum.model.prediction import Prediction, Topic

ARTICLES = {
    "train": [
        ("t1", "", "قال إنه زار المتحف", ["economy"], ["المتحف", "معرض", "رسم"], False),
    ],
    "validation": [
        ("v1", "بورصة", "عن سوق الأسهم", ["economy", "sport"], ["تحقق", "سوق", "أسهم"], False),
        ("v2", "", "عن سوق العمل", ["economy", "sport"], ["تحقق", "سوق", "عمل"], False),
    ],
    "test": [
        ("e1", "نهائي الدوري", "فاز فريق في المتحف", ["sport"], ["كرة القدم", "المتحف", "اختبار"], False),
        ("e2", "", "خبر عن طبيب", ["health", "sport"], ["طبيب", "الصحة", "اختبار"], True),
        ("e3", "بنك", "خبر عن سوق", ["economy"], ["بنك", "سوق", "اختبار"], True),
    ],
}
"""Id, title, text, topics, tags and whether the outlet is unseen, by split."""


@pytest.fixture
def settings(corpora: Path, tmp_path: Path) -> EvalConfig:
    """The tiny corpora with an annotated one beside them."""
    folder = tmp_path / "data"
    shutil.copytree(corpora, folder, ignore=shutil.ignore_patterns("cache"))
    with lzma.open(folder / "read.jsonl.xz", "wt", encoding="utf-8") as file:
        for split, rows in ARTICLES.items():
            for id_, title, text, topics, tags, unseen in rows:
                row = {"id": id_, "title": title or None, "text": text, "topics": topics, "tags": tags, "date": None}
                file.write(json.dumps(row | {"split": split, "unseen_outlet": unseen}, ensure_ascii=False) + "\n")
    return replace(eval_config(folder), annotated="read", cache=tmp_path / "cache")


def answers(settings: EvalConfig, fake: Any, corpus: str, system: str = "wusum") -> Any:
    return SUITE.answer(Key("annotated", corpus, system), fake, settings)


def test_topics_and_tags_have_each_their_baselines_and_corpora(settings: EvalConfig) -> None:
    systems: dict[str, list[str]] = {}
    for key in SUITE.keys(settings):
        assert (key.suite, key.variant) == ("annotated", "")
        systems.setdefault(key.corpus, []).append(key.system)
    topics, tags = ["wusum", "linear", "majority"], ["wusum", "dictionary", "TF-IDF", "YAKE", "TextRank", "embeddings"]
    assert systems == {
        "topics": topics, "topics of unseen outlets": topics, "topics by title alone": topics,
        "tags": tags, "tags of unseen outlets": tags,
    }  # fmt: skip
    assert not list(SUITE.keys(replace(settings, annotated="")))


def test_topics_are_those_that_the_annotator_gave(settings: EvalConfig, fake: Any) -> None:
    found = answers(settings, fake, "topics")
    assert isinstance(found, Labelling)
    assert found.ids == ("e1", "e2", "e3")
    assert found.gold == (("sport",), ("health", "sport"), ("economy",))
    assert found.predicted == (("sport",),) * 3
    assert score_values(found)["micro-F1"] == pytest.approx(2 * 2 / (3 + 4))
    assert score_values(found)["main right"] == pytest.approx(1 / 3)  # sport is the second topic of e2
    assert found.confidence == (0.9,) * 3
    assert found.confident == (False,) * 3
    unseen = answers(settings, fake, "topics of unseen outlets")
    assert (unseen.ids, unseen.gold) == (("e2", "e3"), found.gold[1:])
    majority = answers(settings, fake, "topics", "majority")
    assert (majority.gold, majority.predicted) == (found.gold, (("sport",),) * 3)
    assert answers(settings, fake, "topics of unseen outlets", "majority").predicted == (("health",),) * 2
    validation = answers(replace(settings, split="validation"), fake, "topics")
    assert validation.ids == ("v1", "v2")


def test_a_title_alone_is_all_that_a_system_gets(
    settings: EvalConfig, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[str, str]] = []

    def stream(articles: Any, **_: Any) -> Any:
        for article in articles:
            given.append((article.title, article.body))
            yield Prediction(article.id, (Topic("medtop:00000001", "", "", 1.0),), ())

    monkeypatch.setattr(fake, "stream", stream)
    found = answers(settings, fake, "topics by title alone")
    assert given == [("نهائي الدوري", ""), ("بنك", "")]
    assert (found.ids, found.gold) == (("e1", "e3"), (("sport",), ("economy",)))
    assert found.predicted == (("economy",),) * 2
    given.clear()
    answers(settings, fake, "topics")
    assert given == [(title, text) for _, title, text, *_ in ARTICLES["test"]]


class FakeModel:
    """Stands in for the linear baseline: its probabilities depend on a word of the text."""

    def __init__(self, second: float) -> None:
        self.second = second
        self.texts: list[str] = []

    def probabilities(self, texts: list[str]) -> NDArray[np.float64]:
        """Return economy as the first topic of texts with سوق, else health; sport as the second."""
        self.texts += texts
        rest = 1 - self.second - 2e-6
        rows = [(self.second, *((rest, 1e-6) if "سوق" in text else (1e-6, rest)), 1e-6) for text in texts]
        return np.array(rows)

    def log_odds(self, texts: list[str]) -> NDArray[np.float64]:
        """Return the log odds of the probabilities."""
        return np.asarray(logit(self.probabilities(texts)))


@pytest.fixture
def linear(monkeypatch: pytest.MonkeyPatch) -> FakeModel:
    model = FakeModel(0.3)
    monkeypatch.setattr("wusum.eval.suites.annotated.trained_model", lambda config: model)
    return model


def test_the_linear_baseline_gives_several_topics_as_on_validation_articles(
    settings: EvalConfig, fake: Any, linear: FakeModel
) -> None:
    found = answers(settings, fake, "topics", "linear")
    # On validation articles sport is always right as the second topic, so it is given on test articles, too.
    assert found.predicted == (("health", "sport"), ("health", "sport"), ("economy", "sport"))
    assert (found.ids, found.gold) == (("e1", "e2", "e3"), answers(settings, fake, "topics").gold)
    validation = ["بورصة\nعن سوق الأسهم", "عن سوق العمل"]
    assert linear.texts == [*validation, "نهائي الدوري\nفاز فريق في المتحف", "خبر عن طبيب", "بنك\nخبر عن سوق"]
    linear.second = 0.02
    assert answers(settings, fake, "topics", "linear").predicted == (("health",), ("health",), ("economy",))


def test_the_linear_baseline_gives_one_topic_where_validation_articles_have_one(
    settings: EvalConfig, fake: Any, linear: FakeModel
) -> None:
    path = settings.data / "read.jsonl.xz"
    lines = list(map(json.loads, lzma.decompress(path.read_bytes()).splitlines()))
    for line in lines:
        line["topics"] = ["economy"] if line["split"] == "validation" else line["topics"]
    path.write_bytes(lzma.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines)))
    assert answers(settings, fake, "topics", "linear").predicted == (("health",), ("health",), ("economy",))


def test_the_linear_baseline_is_tuned_on_articles_as_it_gets_them(
    settings: EvalConfig, fake: Any, linear: FakeModel
) -> None:
    assert len(answers(settings, fake, "topics of unseen outlets", "linear").ids) == 2
    assert len(linear.texts) == 2 + 2  # all validation articles: none of them is of an unseen outlet
    linear.texts.clear()
    answers(settings, fake, "topics by title alone", "linear")
    assert [text.strip() for text in linear.texts] == ["بورصة", "نهائي الدوري", "بنك"]


def test_tags_are_ranked_for_short_articles_too(settings: EvalConfig, fake: Any) -> None:
    found = answers(settings, fake, "tags")
    assert isinstance(found, Tagging)
    assert found.ids == ("e1", "e2", "e3")
    assert found.gold[1] == ("طبيب", "صحه", "اختبار")
    assert found.present == (("متحف",), ("طبيب",), ("بنك", "سوق"))
    assert found.new == ((), ("طبيب",), ("بنك", "سوق"))  # an annotated training article has المتحف
    assert score_values(found)["F1@5"] == pytest.approx((2 * 1 / (5 + 3)) / 3)
    assert answers(settings, fake, "tags of unseen outlets").ids == ("e2", "e3")


def test_a_baseline_of_tags_learns_from_annotated_and_edited_training_articles(
    settings: EvalConfig, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def rank(training: Any, articles: Any) -> list[tuple[str, ...]]:
        read.extend(f"{e.corpus} {e.id}" for e in training)
        return [(e.id,) for e in articles]

    monkeypatch.setattr("wusum.eval.suites.tags.BASELINES", {"dictionary": rank})
    monkeypatch.setattr("wusum.eval.suites.tags.nearest_phrases", lambda tagger: rank)
    found = answers(settings, fake, "tags", "dictionary")
    assert found.ranked == (("e1",), ("e2",), ("e3",))
    assert "read t1" in read
    assert {name.split()[0] for name in read} == {"read", "almayadeen"}
    assert not any("validation" in name or "test" in name or "v1" in name or "e1" in name for name in read)
    assert answers(settings, fake, "tags of unseen outlets", "embeddings").ranked == (("e2",), ("e3",))
    read.clear()
    answers(replace(settings, quick=True, quick_training=5), fake, "tags", "dictionary")
    assert len(read) == 5


def test_a_split_without_unseen_outlets_is_measured_without_them(settings: EvalConfig) -> None:
    keys = list(SUITE.keys(replace(settings, split="validation")))
    assert {key.corpus for key in keys} == {"topics", "topics by title alone", "tags"}


def test_a_linear_baseline_needs_validation_articles(
    settings: EvalConfig, fake: Any, linear: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "wusum.eval.suites.annotated.annotated_articles",
        lambda config, split: [replace(e, title="") for e in annotated_articles(config, split)],
    )
    with pytest.raises(CorpusError, match="read: no validation article for topics by title alone"):
        answers(settings, fake, "topics by title alone", "linear")


def test_the_report_shows_each_topic_with_its_articles_and_the_confusion_of_first_topics(
    settings: EvalConfig, fake: Any, tmp_path: Path
) -> None:
    found = evaluate(fake, replace(settings, baselines=False), ["annotated"])
    write_report(found, settings, tmp_path / "report")
    made = json.loads((tmp_path / "report" / "metrics.json").read_text(encoding="utf-8"))
    topics = {row["class"]: (row["articles"], row["recall"]) for row in made["per_class"]["annotated/topics"]}
    assert topics == {"economy": (1, 0), "health": (1, 0), "sport": (2, 1)}
    confusion = next(table for table in made["confusions"] if table["place"] == "annotated/topics")
    column = confusion["classes"].index("sport")
    assert [row[column] for row in confusion["rows"]] == [1, 1, 1]
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert '<td class="name">sport</td><td>0.667</td><td>1.000</td><td>0.800</td><td>2</td>' in page
    assert "<h3>annotated/topics of unseen outlets</h3>" in page
