"""The answers of a system on a set of articles, and their scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wusum.eval.measures import metrics
from wusum.eval.measures.statistics import (
    interval,
    macro_f1_statistic,
    mean_interval,
    randomisation_test,
    ratio_randomisation_test,
    ratio_statistic,
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
    """One measured value with its 95% bootstrap interval; None for a measure for which that would not be valid."""

    suite: str
    corpus: str
    system: str
    variant: str
    metric: str
    value: float
    low: float | None
    high: float | None
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
    compared = (headline,)
    """The measures by which systems are compared."""

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
        """Return accuracy, macro-F1 and, if there are probabilities, the expected calibration error.

        That is biased, and more so on resamples, so it has no bootstrap interval.
        """
        count = len(self.gold)
        macro = macro_f1_statistic(*self._tables())
        scores = [
            Score(*_place(self.key), "accuracy", self.value(), *mean_interval(self.per_article()), count),
            Score(*_place(self.key), "macro-F1", macro(np.arange(count)), *interval(macro, count), count),
        ]
        if self.confidence is not None:
            error = metrics.calibration_error(np.array(self.confidence), self.correct)
            scores.append(Score(*_place(self.key), "ECE", error, None, None, count))
        return scores

    def per_class(self) -> list[dict[str, Any]]:
        """Return precision, recall, F1 and number of gold articles of each class."""
        return _class_rows(self.classes, *self._tables())

    def confusion(self) -> NDArray[np.intp]:
        """Return the number of articles [classes, classes] by gold class (rows) and predicted class (columns)."""
        gold, predicted = self._tables()
        return gold.astype(np.intp).T @ predicted

    def _tables(self) -> list[NDArray[np.bool_]]:
        """Return which class each article has [articles, classes], by the gold classes and by the predicted ones."""
        return [np.array(column)[:, None] == np.arange(len(self.classes)) for column in (self.gold, self.predicted)]


@dataclass(frozen=True)
class Labelling:
    """Any number of topics for each article."""

    key: Key
    ids: tuple[str, ...]
    gold: tuple[tuple[str, ...], ...]
    predicted: tuple[tuple[str, ...], ...]
    main_first: bool = False
    """Whether the first gold topic of an article is its main one."""
    confidence: tuple[float, ...] | None = None
    """Probability of the first predicted topic; None if the system gives no probabilities."""
    confident: tuple[bool, ...] | None = None
    """Whether the system is sure of the first topic; None for a system that does not say."""

    headline = "micro-F1"
    compared = (headline,)

    @property
    def counts(self) -> NDArray[np.float64]:
        """Dividend and divisor of micro-F1 [articles, 2]: twice the correct topics, and all predicted and gold ones."""
        pairs = ((set(p), set(g)) for p, g in zip(self.predicted, self.gold, strict=True))
        return np.array([(2 * len(p & g), len(p) + len(g)) for p, g in pairs], float)

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether the first predicted topic of each article is one of its topics [articles]."""
        return np.array([bool(p) and p[0] in g for p, g in zip(self.predicted, self.gold, strict=True)], bool)

    def value(self) -> float:
        """Return micro-F1."""
        return ratio_statistic(self.counts)(np.arange(len(self.gold)))

    def scores(self) -> list[Score]:
        """Return micro-F1, macro-F1 over the gold topics, and measures of the first topic.

        These are the share of articles whose first topic is a gold one ("first right"), or the main one ("main right"),
        the expected calibration error of its probability, and the share of articles that the system is sure of
        ("confident") with the same two shares of these.
        """
        micro, macro = ratio_statistic(self.counts), macro_f1_statistic(*self._tables())
        count = len(self.gold)
        shares = {"first right": self.correct.astype(float)}
        if self.main_first:
            pairs = zip(self.predicted, self.gold, strict=True)
            shares["main right"] = np.array([p[:1] == g[:1] != () for p, g in pairs], float)
        if self.confident is not None:
            sure = list(self.confident)
            of_these = {f"confident, {name}": values[sure] for name, values in shares.items()}
            shares |= {"confident": np.array(sure, float), **of_these}
        scores = [
            Score(*_place(self.key), "micro-F1", self.value(), *interval(micro, count), count),
            Score(*_place(self.key), "macro-F1", macro(np.arange(count)), *interval(macro, count), count),
        ]
        for name, values in shares.items():
            if len(values):
                scores.append(Score(*_place(self.key), name, float(values.mean()), *mean_interval(values), len(values)))
        if self.confidence is not None:
            error = metrics.calibration_error(np.array(self.confidence), self.correct)
            scores.append(Score(*_place(self.key), "ECE", error, None, None, count))
        return scores

    def per_class(self) -> list[dict[str, Any]]:
        """Return precision, recall, F1 and number of gold articles of each topic that is predicted or gold."""
        return _class_rows(self._topics, *self._tables())

    @property
    def classes(self) -> tuple[str, ...]:
        """The topics that are first in an article, gold or predicted."""
        return tuple(sorted({topics[0] for topics in (*self.gold, *self.predicted) if topics}))

    def confusion(self) -> NDArray[np.intp]:
        """Return the number of articles [classes, classes] by their first gold topic (rows) and first predicted one.

        An article without gold or without predicted topics does not count.
        """
        pairs = Counter((g[0], p[0]) for g, p in zip(self.gold, self.predicted, strict=True) if g and p)
        return np.array([[pairs[gold, predicted] for predicted in self.classes] for gold in self.classes], np.intp)

    @property
    def _topics(self) -> list[str]:
        """The topics that are gold or predicted."""
        return sorted({topic for topics in (*self.gold, *self.predicted) for topic in topics})

    def _tables(self) -> list[NDArray[np.bool_]]:
        """Return which of the gold, and which of the predicted topics each article has [articles, topics]."""
        columns = self.gold, self.predicted
        return [np.array([[name in topics for name in self._topics] for topics in rows], bool) for rows in columns]


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
    given_absent: tuple[tuple[str, ...], ...] | None = None
    """The tags of `given` that do not occur in the article."""

    headline = "F1@5"
    compared = (headline, "F1@10")

    def per_article(self, metric: str = "F1@5") -> NDArray[np.float64]:
        """Return a measure of `TAG_MEASURES` for each article [articles]."""
        measure = TAG_MEASURES[metric]
        return np.array([measure(gold, ranked) for gold, ranked in zip(self.gold, self.ranked, strict=True)])

    def value(self, metric: str = "F1@5") -> float:
        """Return the mean of a measure of `TAG_MEASURES`."""
        return float(self.per_article(metric).mean())

    def curve(self, up_to: int = 15) -> list[tuple[float, float]]:
        """Return the points (k, F1@k) for k from 1 to `up_to`."""
        rows = list(zip(self.gold, self.ranked, strict=True))
        return [(k, float(np.mean([metrics.f1_at(g, r, k) for g, r in rows]))) for k in range(1, up_to + 1)]

    def scores(self) -> list[Score]:
        """Return means over the articles of each measure.

        In addition to `TAG_MEASURES` these are F1@M of the tags given by the system's own thresholds, how many of them
        do not occur in the article and which share of those is gold, and recall of present, absent and new gold tags
        among the first ten.
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
        if self.given_absent is not None:
            values["absent given"] = np.array([len(tags) for tags in self.given_absent], float)
        means = [
            Score(*_place(self.key), name, float(v.mean()), *mean_interval(v), len(v))
            for name, v in values.items()
            if len(v)
        ]
        return [*means, *self._absent_right()]

    def _absent_right(self) -> list[Score]:
        """Return the share of the given tags which do not occur in the article that is gold, if there are such tags."""
        rows = zip(self.gold, self.given_absent or (), strict=self.given_absent is not None)
        counts = np.array([(len(set(gold).intersection(tags)), len(tags)) for gold, tags in rows if tags], float)
        if not len(counts):
            return []
        share = ratio_statistic(counts)
        bounds = interval(share, len(counts))
        return [Score(*_place(self.key), "absent right", share(np.arange(len(counts))), *bounds, len(counts))]

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
    compared = (headline,)

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


def p_value(one: Answers, other: Answers, metric: str | None = None) -> float:
    """Return the p-value of the difference of two systems by approximate randomisation.

    `metric` is one of `compared`, by default the headline measure. Raises ValueError if they did not answer on the same
    articles, or gave answers of different kinds.
    """
    if one.ids != other.ids or one.gold != other.gold:
        raise ValueError(f"{one.key} and {other.key}: not the same articles")
    if isinstance(one, Labelling) and isinstance(other, Labelling):
        return ratio_randomisation_test(one.counts, other.counts)
    if isinstance(one, Labelling) or isinstance(other, Labelling):
        raise ValueError(f"{one.key} and {other.key}: not the same kind of answers")
    if isinstance(one, Tagging) and isinstance(other, Tagging) and metric:
        return randomisation_test(one.per_article(metric), other.per_article(metric))
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


def _class_rows(classes: Sequence[str], gold: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Return precision, recall, F1 and number of gold articles of each class, given tables [articles, classes]."""
    correct, expected, given = (gold & predicted).sum(0), gold.sum(0), predicted.sum(0)
    columns = {
        "precision": correct / np.maximum(given, 1),
        "recall": correct / np.maximum(expected, 1),
        "f1": 2 * correct / np.maximum(expected + given, 1),
        "articles": expected,
    }
    return [
        {"class": name} | {measure: float(column[i]) for measure, column in columns.items()}
        for i, name in enumerate(classes)
    ]


def _place(key: Key) -> tuple[str, str, str, str]:
    return key.suite, key.corpus, key.system, key.variant
