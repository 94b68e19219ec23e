"""Fit the tag-line splitter: logistic regression for "a tag ends in this gap", on lines whose true cuts are known.

The lines are composed from the tags of articles, joined by spaces; the article is the text that shows which words
belong together. As on real pages, a line may repeat its beginning and end with the name of a section. Rows of a corpus
are either articles (`text`, `tags`, `split`) or raw pages (`raw`, `truth`).
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from wusum.model.errors import ConfigError
from wusum.model.pages.splitter import (
    FEATURES,
    Phrases,
    SplitterWeights,
    best_cuts,
    bundled_weights,
    gap_features,
    plain_words,
)
from wusum.model.pages.tag_line import HARD_SEPARATOR
from wusum.model.text.words import match_key
from wusum.train.data.corpora import TagRules, open_rows
from wusum.train.data.reserved import text_key

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SplitterConfig:
    """Settings of `wusum train splitter`."""

    data: Path
    """Folder of the corpora."""
    output: Path
    """JSON file to write; model/pages/splitter.json holds the weights that the package ships."""
    corpora: list[str]
    """Corpora of tagged articles or raw pages whose training lines the weights are fitted on."""
    validation: list[str]
    """Corpora on whose validation lines the fitted weights and the shipped ones are compared."""
    tag_rules: str = ""
    """File that names the tags to drop."""
    page_articles: str = ""
    """Corpus of the articles that raw pages were composed from: a page without a split takes that of its article, and
    a page without such an article is left out."""
    repeated: float = 0.5
    """Share of the lines that repeat their first tags at the end."""
    sectioned: float = 0.5
    """Share of the lines that end with the name of a section."""
    sections: list[str] = field(default_factory=list)
    """Names of sections, one of which is drawn for such a line."""
    inverse_penalty: float = 1.0
    """Inverse of the strength of the L2 penalty on the weights (scikit-learn's C)."""
    decimals: int = 1
    """Decimals that the weights are rounded to."""
    seed: int = 1
    """Seed of the draws of repetitions and sections."""


@dataclass(frozen=True, slots=True)
class Line:
    """A tag line that only spaces separate, with its true cuts and the features of its gaps."""

    words: tuple[str, ...]
    cuts: tuple[int, ...]
    """Indices of the words that begin a tag, ascending, without 0."""
    features: tuple[dict[str, float], ...]
    """For each gap between two words."""

    def tags(self, cuts: Sequence[int]) -> set[str]:
        """Return the match keys of the tags between cuts."""
        bounds = [0, *cuts, len(self.words)]
        return {match_key(" ".join(self.words[a:b])) for a, b in pairwise(bounds)}


@dataclass(frozen=True, slots=True)
class Score:
    """Quality of the weights on a set of lines."""

    gap_accuracy: float
    """Share of the gaps that are cut, or left, as in the true line."""
    tag_f1: float
    """Micro-averaged F1 of the tags, compared by match key."""


def run(config: SplitterConfig) -> None:
    """Fit the weights, compare them with the shipped ones on validation lines and write them.

    Raises CorpusError for a missing or damaged corpus, ConfigError for settings that yield no line.
    """
    training = _lines_by_corpus(config, config.corpora, "train")
    validation = _lines_by_corpus(config, config.validation, "validation")
    bias, weights = fit(list(chain.from_iterable(training.values())), config.inverse_penalty, config.decimals)
    scores: dict[str, Any] = {}
    provenance = {
        "settings": {name: value for name, value in asdict(config).items() if name not in ("data", "output")},
        "training": {corpus: _size(found) for corpus, found in training.items()},
        "validation": scores,
    }
    fitted = SplitterWeights(bias, weights, provenance)
    for corpus, found in validation.items():
        score, shipped = measure(found, fitted), measure(found, bundled_weights())
        log.info("%s: %s; with the shipped weights: %s", corpus, score, shipped)
        rounded = {"gap accuracy": round(score.gap_accuracy, 4), "tag F1": round(score.tag_f1, 4)}
        scores[corpus] = _size(found) | rounded
    config.output.parent.mkdir(parents=True, exist_ok=True)
    fitted.save(config.output)


def lines(config: SplitterConfig, corpus: str, split: str) -> Iterator[Line]:
    """Yield a line for each row of one split of a corpus that has at least two tags, none of them with a separator."""
    for key, tags, text in _tagged(config, corpus, split):
        if len(tags) > 1 and not any(HARD_SEPARATOR.search(tag) or "#" in tag or "_" in tag for tag in tags):
            yield compose(tags, text, config, key)


def compose(tags: Sequence[str], text: str, config: SplitterConfig, key: str) -> Line:
    """Join the tags of an article by spaces; `key` and the seed decide on repetition and section."""
    generator = random.Random(f"{config.seed} {key}")
    parts = list(tags)
    if generator.random() < config.repeated:
        parts += tags[: generator.randint(1, len(tags))]
    if config.sections and generator.random() < config.sectioned:
        parts.append(generator.choice(config.sections))
    words = " ".join(parts).split()
    cuts = list(accumulate(len(part.split()) for part in parts))[:-1]
    return Line(tuple(words), tuple(cuts), tuple(gap_features(plain_words(words), Phrases(text))))


def fit(found: Sequence[Line], inverse_penalty: float, decimals: int) -> tuple[float, dict[str, float]]:
    """Return the bias and the weights by name of a logistic regression on the gaps of all lines.

    Raises ConfigError if no tag has two words, for then every gap is cut.
    """
    table = np.array([list(features.values()) for line in found for features in line.features], np.float64)
    ends = np.array([gap in line.cuts for line in found for gap in range(1, len(line.words))])
    if ends.all():
        raise ConfigError("no training line has a tag of two words")
    model = LogisticRegression(C=inverse_penalty, max_iter=2000).fit(table, ends)
    weights = (round(float(weight), decimals) + 0.0 for weight in model.coef_[0])  # + 0.0 turns -0.0 into 0.0
    return round(float(model.intercept_[0]), decimals), dict(zip(FEATURES, weights, strict=True))


def measure(found: Sequence[Line], weights: SplitterWeights) -> Score:
    """Cut lines with these weights and compare with the true cuts."""
    gaps = right = hits = tags = 0
    for line in found:
        cuts = best_cuts([weights.log_odds(features) for features in line.features])
        gaps += len(line.features)
        right += len(line.features) - len(set(cuts) ^ set(line.cuts))
        given, true = line.tags(cuts), line.tags(line.cuts)
        hits += len(given & true)
        tags += len(given) + len(true)
    return Score(right / gaps, 2 * hits / tags)


def _lines_by_corpus(config: SplitterConfig, corpora: Sequence[str], split: str) -> dict[str, list[Line]]:
    found = {corpus: list(lines(config, corpus, split)) for corpus in corpora}
    for corpus, its_lines in found.items():
        if not its_lines:
            raise ConfigError(f"{corpus}: its {split} split has no row with two or more tags")
    return found


def _size(found: Sequence[Line]) -> dict[str, float]:
    return {"lines": len(found), "gaps": sum(len(line.features) for line in found)}


def _tagged(config: SplitterConfig, corpus: str, split: str) -> Iterator[tuple[str, Sequence[str], str]]:
    """Yield id, tags and text of each tagged row of a split."""
    splits: dict[str, str] | None = None
    rules = TagRules.load(config.tag_rules)
    for row in open_rows(config.data, corpus):
        if not row.get("truth"):
            if row["split"] == split and row.get("tags") and row.get("text"):
                yield row["id"], rules.clean(row["tags"]), f"{row.get('title') or ''}\n{row['text']}"
            continue
        if splits is None:
            splits = _splits(config)
        truth = row["truth"]
        if (row.get("split") or splits.get(text_key(truth["body"]))) == split:
            yield row["id"], list(dict.fromkeys(truth["tags"])), _page_text(truth)


def _splits(config: SplitterConfig) -> dict[str, str]:
    """Return the split of each article of `page_articles` by the key of its body."""
    if not config.page_articles:
        return {}
    articles = open_rows(config.data, config.page_articles)
    return {text_key(row["text"]): row["split"] for row in articles if row.get("text")}


def _page_text(truth: dict[str, Any]) -> str:
    """Return the text of a page without its tag line."""
    related = [f"{other['title']}\n{other['body']}" for other in truth["related"]]
    return "\n".join([truth["title"] or "", truth["body"], *related, *truth["similar"]])
