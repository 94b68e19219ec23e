"""Verdicts: in words, whether the model beats its baselines and how well it is calibrated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from wusum.eval.measures.answers import Classification, Labelling, Score, Tagging
from wusum.eval.measures.evaluation import Evaluation
from wusum.eval.measures.metrics import calibration_error, chance_calibration_error

MAX_CALIBRATION_ERROR = 0.03
"""Expected calibration error up to which the model counts as calibrated."""

CALIBRATED_SUITES = ("topics", "annotated")
"""The suites on whose corpora calibration is judged."""

SIGNIFICANCE = 0.05
"""p-value, corrected for the number of comparisons of the run, below which a difference is significant."""

FLOOR = "majority"
"""The baseline that only shows what a measure is worth; to beat it is no merit, so no verdict counts it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a suite in words."""

    suite: str
    good: bool | None
    """Whether the model is significantly better than every baseline but the majority; None without such baselines."""
    text: str


def verdicts(evaluation: Evaluation) -> list[Verdict]:
    """Return the verdict of each suite, and one on calibration if a suite of `CALIBRATED_SUITES` was run."""
    found = [_verdict(evaluation, suite) for suite in dict.fromkeys(a.key.suite for a in evaluation.answers)]
    calibration = _calibration(evaluation)
    return [*found, calibration] if calibration else found


def _verdict(evaluation: Evaluation, suite: str) -> Verdict:
    rows = [row for row in evaluation.comparisons() if row["suite"] == suite and row["baseline"] != FLOOR]
    notes, unanswered = _missing_answers(evaluation, suite)
    if not rows:
        ours = [answers for answers in evaluation.model_answers() if answers.key.suite == suite]
        scores = [score for answers in ours for score in answers.scores() if score.metric == answers.headline]
        text = f"No baseline to compare with: {'; '.join(_summaries(scores))}."
        return Verdict(suite, False if unanswered else None, text + notes)
    worse = [row for row in rows if row["difference"] < 0 and row["p_holm"] < SIGNIFICANCE]
    undecided = [row for row in rows if row["p_holm"] >= SIGNIFICANCE]
    better = len(rows) - len(worse) - len(undecided)
    parts = [f"Significantly better than the baseline in {better} of {len(rows)} comparisons."]
    for title, chosen in (("Worse", worse), ("No significant difference", undecided)):
        if chosen:
            named = ", ".join(
                f"{r['baseline']} on {r['corpus']} ({r['metric']} {r['difference']:+.3f})" for r in chosen
            )
            parts.append(f"{title}: {named}.")
    return Verdict(suite, not (worse or undecided or unanswered), " ".join(parts) + notes)


def _missing_answers(evaluation: Evaluation, suite: str) -> tuple[str, bool]:
    """Return sentences on articles for which the model gave nothing, and whether it gave nothing for a whole corpus."""
    sentences, unanswered = [], False
    for answers in evaluation.model_answers():
        key = answers.key
        if key.suite == suite and isinstance(answers, (Labelling, Tagging)):
            given = answers.ranked if isinstance(answers, Tagging) else answers.predicted
            if count := sum(not row for row in given):
                name = f"{key.corpus}, {key.variant}" if key.variant else key.corpus
                sentences.append(f" The model gave nothing for {count:,} of {len(given):,} articles ({name}).")
                unanswered |= count == len(given)
    return "".join(sentences), unanswered


def _calibration(evaluation: Evaluation) -> Verdict | None:
    """Return whether the model is calibrated on all corpora of `CALIBRATED_SUITES`; None if it answered on none.

    It is not where its error is too high and higher than chance makes that of a calibrated model.
    """
    rows = []
    for answers in evaluation.model_answers():
        key = answers.key
        if (
            isinstance(answers, (Classification, Labelling))
            and key.suite in CALIBRATED_SUITES
            and answers.confidence is not None
        ):
            rows.append((key.corpus, np.array(answers.confidence), answers.correct))
    if not rows:
        return None
    errors = [calibration_error(confidence, correct) for _, confidence, correct in rows]
    high = [(error, *row) for error, row in zip(errors, rows, strict=True) if error > MAX_CALIBRATION_ERROR]
    calibrated = len(rows) - len(high)
    text = f"A calibration error (ECE) of at most {MAX_CALIBRATION_ERROR} on {calibrated} of {len(rows)} corpora."
    if high:
        named = (
            f"{corpus} {error:.3f}, {'overconfident' if confidence.mean() > correct.mean() else 'underconfident'}"
            for error, corpus, confidence, correct in high
        )
        text += f" Above it: {'; '.join(named)}."
    bad = any(error > chance_calibration_error(confidence) for error, _, confidence, _ in high)
    return Verdict("calibration", False if bad else None if high else True, text)


def _summaries(scores: Sequence[Score]) -> Iterator[str]:
    """Yield the score of each corpus; of one with variants, the score of the first (unchanged) one and the lowest."""
    for corpus in dict.fromkeys(score.corpus for score in scores):
        first, *others = (score for score in scores if score.corpus == corpus)
        text = f"{corpus} {first.metric} {first.value:.3f}"
        lowest = min(others, key=lambda score: score.value, default=None)
        yield f"{text} {first.variant}, lowest {lowest.value:.3f} ({lowest.variant})" if lowest else text
