"""The worst errors of the model, with the text of their articles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wusum.eval.config import EvalConfig
from wusum.eval.gold import read_split, user_articles
from wusum.eval.measures.answers import Answers, Classification, Labelling, Tagging
from wusum.eval.measures.evaluation import Evaluation
from wusum.train.data.corpora import LabelMap

MAX_ERRORS = 30
EXCERPT_CHARS = 320
"""Characters of an article that are shown."""


def worst_errors(evaluation: Evaluation, config: EvalConfig) -> list[dict[str, Any]]:
    """Return the most confident wrong classes, then articles of which none of the first five tags is correct.

    Of a user's own articles, return those of which no topic, or none of the first five tags, is correct.
    """
    confident: list[dict[str, Any]] = []
    missed: list[dict[str, Any]] = []
    for answers in evaluation.model_answers():
        suite = answers.key.suite
        if isinstance(answers, Classification) and suite == "topics" and answers.confidence is not None:
            confident += _wrong_classes(answers, answers.confidence, _texts(answers, config))
        elif isinstance(answers, (Tagging, Labelling)) and suite in ("tags", "own"):
            missed += _missed(answers, _texts(answers, config))
    confident.sort(key=lambda row: row["confidence"], reverse=True)
    shown = confident[: MAX_ERRORS - min(len(missed), MAX_ERRORS // 3)]
    return [*shown, *missed[: MAX_ERRORS - len(shown)]]


def _wrong_classes(
    answers: Classification, confidences: tuple[float, ...], texts: dict[str, str]
) -> list[dict[str, Any]]:
    rows = zip(answers.ids, answers.gold, answers.predicted, confidences, strict=True)
    return [
        _row(answers, name, answers.classes[gold], answers.classes[predicted], confidence, texts)
        for name, gold, predicted, confidence in rows
        if gold != predicted
    ]


def _missed(answers: Tagging | Labelling, texts: dict[str, str]) -> list[dict[str, Any]]:
    given = answers.ranked if isinstance(answers, Tagging) else answers.predicted
    return [
        _row(answers, name, "، ".join(gold), "، ".join(row[:5]), None, texts)
        for name, gold, row in zip(answers.ids, answers.gold, given, strict=True)
        if not set(gold) & set(row[:5])
    ]


def _row(
    answers: Answers, name: str, gold: str, given: str, confidence: float | None, texts: dict[str, str]
) -> dict[str, Any]:
    return {
        "corpus": answers.key.corpus, "id": name, "gold": gold, "given": given, "confidence": confidence,
        "text": texts[name][:EXCERPT_CHARS],
    }  # fmt: skip


def _texts(answers: Answers, config: EvalConfig) -> dict[str, str]:
    """Return the texts of the articles by id."""
    if answers.key.suite == "own":
        return {e.id: e.text for e, _ in user_articles(Path(config.labelled), LabelMap.load(config.topics))}
    return {e.id: e.text for e in read_split(config.data, answers.key.corpus, config.split)}
