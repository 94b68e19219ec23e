"""Predictions as text for a terminal."""

from __future__ import annotations

from wusum.model.article import Article
from wusum.model.prediction import Prediction, Tag, Topic
from wusum.model.run.terminal import format_prediction

PREDICTION = Prediction(
    "n1",
    (Topic("a", "رياضة", "sport", 0.91), Topic("b", "صحة", "health", 0.5)),
    (Tag("كأس العالم", 0.75, why={"prior": 1.25, "new": 0.04, "name": -0.5}), Tag("لبنان", 0.25)),
    confident=True,
)
ARTICLE = Article("n1", "فاز المنتخب", "عنوان")


def isolated(text: str) -> str:
    return f"\u2067{text}\u2069"


def test_topics_and_tags_stand_on_lines_of_their_own() -> None:
    assert format_prediction(ARTICLE, PREDICTION).split("\n") == [
        "",
        "n1",
        f"        {isolated('عنوان')}",
        f" topics 0.91  sport  {isolated('رياضة')}",
        f"        0.50  health  {isolated('صحة')}",
        f"   tags 0.75  {isolated('كأس العالم')}  (prior +1.2, name -0.5)",
        f"        0.25  {isolated('لبنان')}",
    ]


def test_the_first_topic_of_an_unsure_answer_is_marked() -> None:
    unsure = Prediction("n1", PREDICTION.topics, PREDICTION.tags)
    sure_lines, lines = (format_prediction(ARTICLE, made).split("\n") for made in (PREDICTION, unsure))
    assert lines[3] == f" topics 0.91  (unsure) sport  {isolated('رياضة')}"
    assert lines[:3] + lines[4:] == sure_lines[:3] + sure_lines[4:]


def test_an_article_without_topics_has_its_id_and_opening() -> None:
    words = " ".join(["كلمة"] * 30)
    assert format_prediction(Article("n2", words), Prediction("n2")) == (
        f"\nn2\n        {isolated(' '.join(['كلمة'] * 14) + '…')}"
    )
