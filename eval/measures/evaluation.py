"""The answers of a run of suites, with everything that they depend on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wusum.eval.measures.answers import Answers, Key, Score, p_value


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
        """Return the difference and p-value of the model and each baseline, by the headline measure."""
        found = []
        for answers in self.answers:
            key = answers.key
            ours = self.find(key.suite, key.corpus, variant=key.variant)
            if key.system == "wusum" or ours is None:
                continue
            found.append(
                {"suite": key.suite, "corpus": key.corpus, "baseline": key.system, "metric": ours.headline}
                | {"difference": ours.value() - answers.value(), "p": p_value(ours, answers)}
            )
        return found
