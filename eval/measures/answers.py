"""What a system answered on a set of articles, and every measure of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from wusum.eval.measures import metrics
from wusum.eval.measures.statistics import (
    interval,
    macro_f1_statistic,
    mean_interval,
    randomisation_test,
    ratio_randomisation_test,
)


@dataclass(frozen=True, slots=True)
class Key:
    """Which answers these are."""

    suite: str
    corpus: str
    system: str = "wusum"
    variant: str = ""
    """What was done to the articles, where something was."""


@dataclass(frozen=True, slots=True)
class Score:
    """One measured number with its 95% bootstrap interval."""

    suite: str
    corpus: str
    system: str
    variant: str
    metric: str
    value: float
    low: float
    high: float
    articles: int


@dataclass(frozen=True)
class Classification:
    """One class an article, and how sure the system was of it."""

    key: Key
    classes: tuple[str, ...]
    """The classes by name; the numbers below are places in it."""
    ids: tuple[str, ...]
    gold: tuple[int, ...]
    predicted: tuple[int, ...]
    confidence: tuple[float, ...] | None = None
    """Probability of the predicted class, None where a system gives none."""

    headline = "accuracy"

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether each answer is right [articles]."""
        return np.asarray(np.array(self.gold) == np.array(self.predicted))

    def per_article(self) -> NDArray[np.float64]:
        """What two systems are compared by: 1 where the answer is right [articles]."""
        return self.correct.astype(float)

    def value(self) -> float:
        """Accuracy."""
        return float(self.correct.mean())

    def scores(self) -> list[Score]:
        """Accuracy, macro-F1, and the calibration error where there is a confidence."""
        count = len(self.gold)
        everything = np.arange(count)
        macro = macro_f1_statistic(np.array(self.gold), np.array(self.predicted), len(self.classes))
        measured = [
            ("accuracy", float(self.correct.mean()), mean_interval(self.per_article())),
            ("macro-F1", macro(everything), interval(macro, count)),
        ]
        if self.confidence is not None:
            sure = np.array(self.confidence)

            def error(chosen: NDArray[np.intp]) -> float:
                return metrics.calibration_error(sure[chosen], self.correct[chosen])

            measured.append(("ECE", error(everything), interval(error, count, resamples=200)))
        return [Score(*_place(self.key), name, value, *bounds, count) for name, value, bounds in measured]

    def per_class(self) -> list[dict[str, Any]]:
        """Precision, recall, F1 and number of articles of each class."""
        columns = precision_recall_fscore_support(
            self.gold, self.predicted, labels=range(len(self.classes)), zero_division=0
        )
        return _class_rows(self.classes, columns)

    def confusion(self) -> NDArray[np.intp]:
        """Articles by gold class (rows) and predicted class (columns)."""
        return np.asarray(confusion_matrix(self.gold, self.predicted, labels=range(len(self.classes))))


@dataclass(frozen=True)
class Labelling:
    """Any number of topics an article."""

    key: Key
    ids: tuple[str, ...]
    gold: tuple[tuple[str, ...], ...]
    predicted: tuple[tuple[str, ...], ...]

    headline = "micro-F1"

    @property
    def counts(self) -> NDArray[np.float64]:
        """What micro-F1 is the ratio of: twice the right topics, and all given and gold ones [articles, 2]."""
        pairs = ((set(p), set(g)) for p, g in zip(self.predicted, self.gold, strict=True))
        return np.array([(2 * len(p & g), len(p) + len(g)) for p, g in pairs], float)

    def value(self) -> float:
        """Micro-F1 over all."""
        hits, total = self.counts.sum(0)
        return float(hits / total) if total else 0.0

    def scores(self) -> list[Score]:
        """Micro-F1 over all, and the share of articles whose first topic is a right one."""
        counts = self.counts

        def micro(chosen: NDArray[np.intp]) -> float:
            hits, total = counts[chosen].sum(0)
            return float(hits / total) if total else 0.0

        first = np.array([bool(p) and p[0] in g for p, g in zip(self.predicted, self.gold, strict=True)], float)
        count = len(counts)
        return [
            Score(*_place(self.key), "micro-F1", micro(np.arange(count)), *interval(micro, count), count),
            Score(*_place(self.key), "first right", float(first.mean()), *mean_interval(first), count),
        ]

    def per_class(self) -> list[dict[str, Any]]:
        """Precision, recall, F1 and number of articles of each topic that was given or should have been."""
        names = sorted({topic for topics in (*self.gold, *self.predicted) for topic in topics})
        tables = ([[name in topics for name in names] for topics in rows] for rows in (self.gold, self.predicted))
        gold, predicted = (np.array(table, bool) for table in tables)
        right, wanted, given = (gold & predicted).sum(0), gold.sum(0), predicted.sum(0)
        measures = (right / np.maximum(given, 1), right / np.maximum(wanted, 1), 2 * right / (wanted + given))
        return _class_rows(names, (*measures, wanted))


@dataclass(frozen=True)
class Tagging:
    """Ranked tags an article, gold and given ones by their match keys."""

    key: Key
    ids: tuple[str, ...]
    gold: tuple[tuple[str, ...], ...]
    ranked: tuple[tuple[str, ...], ...]
    given: tuple[tuple[str, ...], ...] | None = None
    """Those that a system gives of itself; None where it leaves that to the user."""
    present: tuple[tuple[str, ...], ...] | None = None
    """The gold tags that stand in the article."""
    new: tuple[tuple[str, ...], ...] | None = None
    """The gold tags that stand in the article and that no training article has."""

    headline = "F1@5"

    def per_article(self, metric: str = "F1@5") -> NDArray[np.float64]:
        """One of the measures of `TAG_MEASURES`, for each article [articles]."""
        measure = TAG_MEASURES[metric]
        return np.array([measure(gold, ranked) for gold, ranked in zip(self.gold, self.ranked, strict=True)])

    def value(self) -> float:
        """The mean of F1@5."""
        return float(self.per_article().mean())

    def curve(self, up_to: int = 15) -> list[tuple[float, float]]:
        """F1@k for k = 1 … `up_to`, as points."""
        rows = list(zip(self.gold, self.ranked, strict=True))
        return [(k, float(np.mean([metrics.f1_at(g, r, k) for g, r in rows]))) for k in range(1, up_to + 1)]

    def scores(self) -> list[Score]:
        """Means over the articles; recall of all present, absent and new tags; F1 of what is given of itself."""
        values = {name: self.per_article(name) for name in TAG_MEASURES}
        if self.given is not None:
            both = zip(self.gold, self.given, strict=True)
            values["F1@M"] = np.array([metrics.f1_of_all(gold, given) for gold, given in both])
        if self.present is not None:
            absent = tuple(tuple(set(g) - set(p)) for g, p in zip(self.gold, self.present, strict=True))
            values["present R@10"] = self._recall(self.present)
            values["absent R@10"] = self._recall(absent)
        if self.new is not None:
            values["new R@10"] = self._recall(self.new)
        return [
            Score(*_place(self.key), name, float(v.mean()), *mean_interval(v), len(v))
            for name, v in values.items()
            if len(v)
        ]

    def _recall(self, wanted: Sequence[Sequence[str]]) -> NDArray[np.float64]:
        """Recall of certain gold tags among the first ten, of the articles that have any."""
        rows = zip(wanted, self.ranked, strict=True)
        return np.array([metrics.recall_at(gold, ranked, 10) for gold, ranked in rows if gold])


@dataclass(frozen=True)
class Extraction:
    """How right the parts of each page were found."""

    key: Key
    ids: tuple[str, ...]
    parts: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    """For each page, and each part in the order of `parts`: 1 where it is just so, less where it is less."""
    gold: tuple[()] = ()

    headline = "body"

    def per_article(self) -> NDArray[np.float64]:
        """How right the body of each page is [pages]."""
        return np.array([row[self.parts.index(self.headline)] for row in self.values])

    def value(self) -> float:
        """The mean of the bodies."""
        return float(self.per_article().mean())

    def scores(self) -> list[Score]:
        """The mean of each part."""
        columns = np.array(self.values, float).T
        return [
            Score(*_place(self.key), part, float(column.mean()), *mean_interval(column), len(column))
            for part, column in zip(self.parts, columns, strict=True)
        ]


Answers = Classification | Labelling | Tagging | Extraction
_KINDS: dict[str, type[Answers]] = {kind.__name__: kind for kind in (Classification, Labelling, Tagging, Extraction)}

TAG_MEASURES: dict[str, Callable[[Sequence[str], Sequence[str]], float]] = {
    "F1@5": lambda gold, ranked: metrics.f1_at(gold, ranked, 5),
    "F1@10": lambda gold, ranked: metrics.f1_at(gold, ranked, 10),
    "P@5": lambda gold, ranked: metrics.precision_at(gold, ranked, 5),
    "R@10": lambda gold, ranked: metrics.recall_at(gold, ranked, 10),
    "R-precision": metrics.r_precision,
    "nDCG@10": lambda gold, ranked: metrics.ndcg_at(gold, ranked, 10),
}


def p_value(one: Answers, other: Answers) -> float:
    """Of the difference of two systems on the same articles, by approximate randomisation of the headline measure.

    Raises ValueError where the articles differ.
    """
    if one.ids != other.ids or one.gold != other.gold:
        raise ValueError(f"{one.key} and {other.key}: not the same articles")
    if isinstance(one, Labelling) and isinstance(other, Labelling):
        return ratio_randomisation_test(one.counts, other.counts)
    if isinstance(one, Labelling) or isinstance(other, Labelling):
        raise ValueError(f"{one.key} and {other.key}: not the same kind of answers")
    return randomisation_test(one.per_article(), other.per_article())


def to_json(answers: Answers) -> dict[str, Any]:
    """Plain values that `from_json` reads."""
    return {"kind": type(answers).__name__} | asdict(answers)


def from_json(values: dict[str, Any]) -> Answers:
    """Answers that `to_json` wrote and JSON has carried."""
    fields = {name: _tuples(value) for name, value in values.items() if name not in ("kind", "key")}
    return _KINDS[values["kind"]](key=Key(**values["key"]), **fields)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _class_rows(classes: Sequence[str], columns: Sequence[Any]) -> list[dict[str, Any]]:
    names = ("precision", "recall", "f1", "articles")
    return [
        {"class": name} | dict(zip(names, map(float, row), strict=True))
        for name, *row in zip(classes, *columns, strict=True)
    ]


def _place(key: Key) -> tuple[str, str, str, str]:
    return key.suite, key.corpus, key.system, key.variant
