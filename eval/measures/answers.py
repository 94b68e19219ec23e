"""The answers of a system on a set of articles, and their scores."""

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
    """Identifies answers: who answered, and on which articles."""

    suite: str
    corpus: str
    system: str = "wusum"
    variant: str = ""
    """The change to the articles; empty for none."""


@dataclass(frozen=True, slots=True)
class Score:
    """One measured value with its 95% bootstrap interval."""

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
    """One class for each article."""

    key: Key
    classes: tuple[str, ...]
    """Names of the classes; `gold` and `predicted` are indices into them."""
    ids: tuple[str, ...]
    gold: tuple[int, ...]
    predicted: tuple[int, ...]
    confidence: tuple[float, ...] | None = None
    """Probability of the predicted class; None if the system gives no probabilities."""

    headline = "accuracy"

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether each answer is correct [articles]."""
        return np.asarray(np.array(self.gold) == np.array(self.predicted))

    def per_article(self) -> NDArray[np.float64]:
        """Return 1 for a correct answer, else 0 [articles]; p-values compare these scores."""
        return self.correct.astype(float)

    def value(self) -> float:
        """Return the accuracy."""
        return float(self.correct.mean())

    def scores(self) -> list[Score]:
        """Return accuracy, macro-F1 and, if there are probabilities, the expected calibration error."""
        count = len(self.gold)
        everything = np.arange(count)
        macro = macro_f1_statistic(np.array(self.gold), np.array(self.predicted), len(self.classes))
        measured = [
            ("accuracy", float(self.correct.mean()), mean_interval(self.per_article())),
            ("macro-F1", macro(everything), interval(macro, count)),
        ]
        if self.confidence is not None:
            confidence = np.array(self.confidence)

            def error(chosen: NDArray[np.intp]) -> float:
                return metrics.calibration_error(confidence[chosen], self.correct[chosen])

            measured.append(("ECE", error(everything), interval(error, count, resamples=200)))
        return [Score(*_place(self.key), name, value, *bounds, count) for name, value, bounds in measured]

    def per_class(self) -> list[dict[str, Any]]:
        """Return precision, recall, F1 and number of gold articles of each class."""
        columns = precision_recall_fscore_support(
            self.gold, self.predicted, labels=range(len(self.classes)), zero_division=0
        )
        return _class_rows(self.classes, columns)

    def confusion(self) -> NDArray[np.intp]:
        """Return the number of articles [classes, classes] by gold class (rows) and predicted class (columns)."""
        return np.asarray(confusion_matrix(self.gold, self.predicted, labels=range(len(self.classes))))


@dataclass(frozen=True)
class Labelling:
    """Any number of topics for each article."""

    key: Key
    ids: tuple[str, ...]
    gold: tuple[tuple[str, ...], ...]
    predicted: tuple[tuple[str, ...], ...]

    headline = "micro-F1"

    @property
    def counts(self) -> NDArray[np.float64]:
        """Dividend and divisor of micro-F1 [articles, 2]: twice the correct topics, and all predicted and gold ones."""
        pairs = ((set(p), set(g)) for p, g in zip(self.predicted, self.gold, strict=True))
        return np.array([(2 * len(p & g), len(p) + len(g)) for p, g in pairs], float)

    def value(self) -> float:
        """Return micro-F1."""
        hits, total = self.counts.sum(0)
        return float(hits / total) if total else 0.0

    def scores(self) -> list[Score]:
        """Return micro-F1, and the share of articles whose first topic is correct."""
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
        """Return precision, recall, F1 and number of gold articles of each topic that is predicted or gold."""
        names = sorted({topic for topics in (*self.gold, *self.predicted) for topic in topics})
        tables = ([[name in topics for name in names] for topics in rows] for rows in (self.gold, self.predicted))
        gold, predicted = (np.array(table, bool) for table in tables)
        correct, expected, given = (gold & predicted).sum(0), gold.sum(0), predicted.sum(0)
        measures = (correct / np.maximum(given, 1), correct / np.maximum(expected, 1), 2 * correct / (expected + given))
        return _class_rows(names, (*measures, expected))


@dataclass(frozen=True)
class Tagging:
    """Ranked tags for each article; all tags are match keys."""

    key: Key
    ids: tuple[str, ...]
    gold: tuple[tuple[str, ...], ...]
    ranked: tuple[tuple[str, ...], ...]
    given: tuple[tuple[str, ...], ...] | None = None
    """The tags that the system gives by its own thresholds; None for a system without thresholds."""
    present: tuple[tuple[str, ...], ...] | None = None
    """The gold tags that occur in the article."""
    new: tuple[tuple[str, ...], ...] | None = None
    """The gold tags that occur in the article and were given to no training article."""

    headline = "F1@5"

    def per_article(self, metric: str = "F1@5") -> NDArray[np.float64]:
        """Return a measure of `TAG_MEASURES` for each article [articles]."""
        measure = TAG_MEASURES[metric]
        return np.array([measure(gold, ranked) for gold, ranked in zip(self.gold, self.ranked, strict=True)])

    def value(self) -> float:
        """Return the mean of F1@5."""
        return float(self.per_article().mean())

    def curve(self, up_to: int = 15) -> list[tuple[float, float]]:
        """Return the points (k, F1@k) for k from 1 to `up_to`."""
        rows = list(zip(self.gold, self.ranked, strict=True))
        return [(k, float(np.mean([metrics.f1_at(g, r, k) for g, r in rows]))) for k in range(1, up_to + 1)]

    def scores(self) -> list[Score]:
        """Return means over the articles of each measure.

        In addition to `TAG_MEASURES` these are F1@M of the tags given by the system's own thresholds, and recall of
        present, absent and new gold tags among the first ten.
        """
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

    def _recall(self, expected: Sequence[Sequence[str]]) -> NDArray[np.float64]:
        """Return the recall of certain gold tags among the first ten, for each article that has such tags."""
        rows = zip(expected, self.ranked, strict=True)
        return np.array([metrics.recall_at(gold, ranked, 10) for gold, ranked in rows if gold])


@dataclass(frozen=True)
class Extraction:
    """Scores of the parts that were extracted from each page."""

    key: Key
    ids: tuple[str, ...]
    parts: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    """Scores from 0 to 1 of each page's parts, in the order of `parts`; 1 is a perfect match."""
    gold: tuple[()] = ()

    headline = "body"

    def per_article(self) -> NDArray[np.float64]:
        """Return the score of the body of each page [pages]."""
        return np.array([row[self.parts.index(self.headline)] for row in self.values])

    def value(self) -> float:
        """Return the mean score of the bodies."""
        return float(self.per_article().mean())

    def scores(self) -> list[Score]:
        """Return the mean score of each part."""
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
    """Return the p-value of the difference of two systems' headline measures, by approximate randomisation.

    Raises ValueError if they did not answer on the same articles, or gave answers of different kinds.
    """
    if one.ids != other.ids or one.gold != other.gold:
        raise ValueError(f"{one.key} and {other.key}: not the same articles")
    if isinstance(one, Labelling) and isinstance(other, Labelling):
        return ratio_randomisation_test(one.counts, other.counts)
    if isinstance(one, Labelling) or isinstance(other, Labelling):
        raise ValueError(f"{one.key} and {other.key}: not the same kind of answers")
    return randomisation_test(one.per_article(), other.per_article())


def to_json(answers: Answers) -> dict[str, Any]:
    """Return answers as plain values, which `from_json` reads."""
    return {"kind": type(answers).__name__} | asdict(answers)


def from_json(values: dict[str, Any]) -> Answers:
    """Return the answers that `to_json` wrote, after a way through JSON; raises KeyError or TypeError for others."""
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
