"""Measure each candidate source of tags: fit the ranking without it, and compare on validation articles."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wusum.model.options import PredictOptions
from wusum.model.tagger import Tagger
from wusum.model.tagging.candidates import Source
from wusum.model.tagging.ranker import TagModel, TagRanker
from wusum.model.tagging.sources.centrality import Centrality
from wusum.model.tagging.sources.linear import LinearTags
from wusum.model.tagging.sources.nesting import Nesting
from wusum.model.tagging.sources.new_phrases import Finder, NewPhrases, SpanScores, likely_phrases, marked_phrases
from wusum.model.tagging.sources.phrase_statistics import PhraseStatistics
from wusum.model.tagging.sources.tag_head import TagHead
from wusum.model.text.words import match_key
from wusum.train.cache import write_json
from wusum.train.data.corpora import Example, TagRules, examples
from wusum.train.stages.calibrate import CalibrateConfig, fit_tags, read_names, read_tagged
from wusum.train.tagging.ranker import FoldModels, Sources, network_outputs

log = logging.getLogger(__name__)

MIN_TAGS, MIN_CHARS = 3, 300
"""Tags and characters of an article that is measured on."""


@dataclass(frozen=True, kw_only=True)
class AblationConfig(CalibrateConfig):
    """Settings of `wusum train ablation`: those of the calibration, and what to measure on."""

    output: Path
    """JSON file that gets the table."""
    measured: list[str] = field(default_factory=list)
    """Corpora with tagged validation articles to measure on."""


Value = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """Scores of each article [articles] of one corpus."""

    f1_at_5: Value
    f1_at_10: Value
    f1_given: Value
    """F1 of the tags that the model gives by its own thresholds."""
    given: Value
    """Number of tags that it gives."""
    milliseconds: Value
    """Processor time of ranking its tags."""


def without(*left_out: type) -> Sources:
    """Return the sources of a model without those of some classes."""
    return lambda model: [source for source in model.sources() if not isinstance(source, left_out)]


def _with_phrases(finder: Finder) -> Sources:
    """Return the sources of a model with a single finder of new phrases."""

    def sources(model: TagModel) -> list[Source]:
        found: list[Source] = []
        for source in model.sources():
            new = isinstance(source, NewPhrases)
            found.append(NewPhrases(model.lexicon, model.vocabulary, model.tag_words, (finder,)) if new else source)
        return found

    return sources


def _without_span_head(model: TagModel) -> list[Source]:
    """Return the sources of a model with new phrases by their words alone, proposed but not measured."""
    return [_Unmeasured(source) if isinstance(source, NewPhrases) else source
            for source in _with_phrases(likely_phrases)(model)]  # fmt: skip


class _Unmeasured:
    """A source that keeps its proposals and loses its features."""

    features = ()

    def __init__(self, source: Source) -> None:
        self.propose = source.propose

    def measure(self, *_: object) -> dict[str, Value]:
        """Measure nothing."""
        return {}


VARIANTS: dict[str, Sources] = {
    "all sources": TagModel.sources,
    "without the tag head": without(TagHead),
    "without the linear model": without(LinearTags),
    "without the span head": _without_span_head,
    "without likely phrases": _with_phrases(marked_phrases),
    "without TF-IDF": without(PhraseStatistics),
    "without centrality": without(Centrality),
    "without new phrases": without(NewPhrases, SpanScores),
    "without nesting": without(Nesting),
}
"""The candidate sources of each line of the table."""


def run(config: AblationConfig) -> None:
    """Fit and measure every variant, and write the table after each."""
    tagger = Tagger.from_pretrained(config.model)
    tagged = read_tagged(config)
    statistics = tagger.tag_model.statistics
    models = FoldModels(tagged, statistics, read_names(config, tagged))
    corpora = {name: list(_measurable(config, name)) for name in config.measured}
    whole: dict[str, Measured] = {}
    table = []
    for name, sources in VARIANTS.items():
        model = fit_tags(config, tagger, tagged, statistics, sources, models)
        ranker = TagRanker(sources(model), model.trees, model.thresholds, model.lexicon)
        row: dict[str, object] = {"variant": name, "megabytes": round(_size(model) / 1e6, 2)}
        for corpus, rows in corpora.items():
            found = _measure(tagger, ranker, rows)
            row[corpus] = {"articles": len(rows)} | _numbers(found, whole.setdefault(corpus, found))
        table.append(row)
        log.info("%s", row)
        write_json(config.output, table, indent=1)


def _measurable(config: AblationConfig, corpus: str) -> Iterator[Example]:
    for example in examples(config.data, corpus, ["validation"], rules=TagRules.load(config.tag_rules)):
        if len(example.body) >= MIN_CHARS and len(set(map(match_key, example.phrases or ()))) >= MIN_TAGS:
            yield example


def _measure(tagger: Tagger, ranker: TagRanker, rows: Sequence[Example]) -> Measured:
    """Return the scores of a ranker on articles."""
    scores = []
    for row, output in zip(rows, network_outputs(tagger, rows), strict=True):
        gold = set(map(match_key, row.phrases or ()))
        begin = time.process_time()
        ranked, given = (
            [match_key(tag.text) for tag in ranker.rank(row.article(), output, PredictOptions(min_score=least))]
            for least in (0.0, None)
        )
        milliseconds = (time.process_time() - begin) / 2 * 1000
        first = (2 * len(gold.intersection(ranked[:k])) / (k + len(gold)) for k in (5, 10))
        scores.append((*first, 2 * len(gold.intersection(given)) / (len(gold) + len(given)), len(given), milliseconds))
    return Measured(*np.array(scores, float).T)


def _numbers(found: Measured, whole: Measured) -> dict[str, object]:
    """Return means, each with its difference from all sources and the half width of that difference's 95% interval."""
    made: dict[str, object] = {name: round(float(getattr(found, name).mean()), 2) for name in ("given", "milliseconds")}
    for name in ("f1_at_5", "f1_at_10", "f1_given"):
        values, difference = getattr(found, name), getattr(found, name) - getattr(whole, name)
        half = 1.96 * difference.std() / len(difference) ** 0.5
        made[name] = [round(float(number), 4) for number in (values.mean(), difference.mean(), half)]
    return made


def _size(model: TagModel) -> int:
    """Return the bytes of a model's tag files."""
    with tempfile.TemporaryDirectory() as folder:
        replace(model).save(Path(folder))
        return sum(path.stat().st_size for path in Path(folder).iterdir())
