"""The answers of a run of suites, with everything that they depend on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wusum.eval.measures.answers import Answers, Key, Score, Tagging, p_value
from wusum.eval.measures.statistics import holm


@dataclass(frozen=True)
class Evaluation:
    """The answers of a run."""

    answers: tuple[Answers, ...]
    about: dict[str, Any]
    """Everything that the numbers depend on: model, data, versions, settings."""

    def scores(self) -> list[Score]:
        """Return every score with its interval."""
        return [score for answers in self.answers for score in answers.scores()]

    def model_answers(self) -> list[Answers]:
        """Return the answers of the measured model."""
        return [answers for answers in self.answers if answers.key.system == "wusum"]

    def find(self, suite: str, corpus: str, system: str = "wusum", variant: str = "") -> Answers | None:
        """Return the answers of a system, or None if the run has none of it."""
        key = Key(suite, corpus, system, variant)
        return next((answers for answers in self.answers if answers.key == key), None)

    def comparisons(self) -> list[dict[str, Any]]:
        """Return the difference between the model and each baseline by each measure of `compared`.

        `p` is the p-value of one difference; `p_holm` is corrected for the number of all comparisons of the run.
        """
        found: list[dict[str, Any]] = []
        for answers in self.answers:
            key = answers.key
            ours = self.find(key.suite, key.corpus, variant=key.variant)
            if key.system == "wusum" or ours is None:
                continue
            for metric in ours.compared:
                place = {"suite": key.suite, "corpus": key.corpus, "baseline": key.system, "metric": metric}
                difference = value_of(ours, metric) - value_of(answers, metric)
                found.append(place | {"difference": difference, "p": p_value(ours, answers, metric)})
        corrected = holm([row["p"] for row in found])
        return [row | {"p_holm": p} for row, p in zip(found, corrected, strict=True)]


def value_of(answers: Answers, metric: str) -> float:
    """Return a measure of `compared`."""
    return answers.value(metric) if isinstance(answers, Tagging) else answers.value()
