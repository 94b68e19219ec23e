"""Keyword tags: candidates from several sources, scored by boosted trees, then selected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from wusum.model.errors import ModelError
from wusum.model.network.artifact import ModelSettings, model_file
from wusum.model.network.outputs import HasText, NetworkOutput
from wusum.model.options import PredictOptions
from wusum.model.prediction import Tag
from wusum.model.tagging.candidates import Candidate, Candidates, Document, Feature, Source
from wusum.model.tagging.selection import Distinct, Thresholds, select, without_repeats
from wusum.model.tagging.sources.centrality import Centrality
from wusum.model.tagging.sources.known_tags import KnownTags
from wusum.model.tagging.sources.linear import LinearTagModel, LinearTags
from wusum.model.tagging.sources.nesting import Nesting
from wusum.model.tagging.sources.new_phrases import NewPhrases
from wusum.model.tagging.sources.phrase_statistics import PhraseStatistics
from wusum.model.tagging.sources.tag_head import TagHead
from wusum.model.tagging.tag_words import TagWords
from wusum.model.tagging.trees import BoostedTrees
from wusum.model.tagging.vocabulary import Vocabulary
from wusum.model.text.lexicon import Lexicon, TokenisedText
from wusum.model.text.normalisation import align
from wusum.model.text.word_statistics import WordStatistics
from wusum.model.text.words import words


@dataclass(frozen=True)
class TagModel:
    """Everything about tags that an artifact holds."""

    vocabulary: Vocabulary
    trees: BoostedTrees
    linear: LinearTagModel
    tag_words: TagWords
    statistics: WordStatistics
    thresholds: Thresholds

    @classmethod
    def load(cls, folder: Path, settings: ModelSettings) -> TagModel:
        """Read the tag files of a model folder; raises ModelError if one is damaged."""
        vocabulary = Vocabulary.load(model_file(folder, "tags.tsv"))
        return cls(
            vocabulary,
            BoostedTrees.load(folder / "ranking.json"),
            LinearTagModel.load(model_file(folder, "linear.safetensors"), len(vocabulary.entries)),
            TagWords.load(model_file(folder, "tag_words.safetensors")),
            WordStatistics.load(model_file(folder, "word_statistics.safetensors")),
            Thresholds(settings.tag_threshold, settings.absent_tag_threshold),
        )

    @classmethod
    def unfitted(cls) -> TagModel:
        """Return a model that gives no tags."""
        trees, linear = BoostedTrees.unfitted(), LinearTagModel.none()
        return cls(Vocabulary([]), trees, linear, TagWords.none(), WordStatistics.empty(), Thresholds(0.5, 0.5))

    def save(self, folder: Path) -> None:
        """Write the tag files; the thresholds are in `config.json`."""
        self.vocabulary.save(folder / "tags.tsv")
        self.trees.save(folder / "ranking.json")
        self.linear.save(folder / "linear.safetensors")
        self.tag_words.save(folder / "tag_words.safetensors")
        self.statistics.save(folder / "word_statistics.safetensors")

    @cached_property
    def lexicon(self) -> Lexicon:
        """The lexicon with the model's word statistics."""
        return Lexicon(self.statistics)

    def sources(self) -> list[Source]:
        """Return the candidate sources of the model's own vocabulary."""
        known = self.vocabulary
        return [
            KnownTags(known),
            TagHead(known),
            LinearTags(self.linear, known, known),
            NewPhrases(self.lexicon, known, self.tag_words),
            PhraseStatistics(self.statistics),
            Centrality(self.tag_words, self.statistics),
            Nesting(),
        ]

    def ranker(self) -> TagRanker:
        """Return a ranker over the model's own vocabulary."""
        return TagRanker(self.sources(), self.trees, self.thresholds, self.lexicon)


class Adjustment(Protocol):
    """Adds something to the log odds that the trees give."""

    name: str
    """Its name in explanations."""

    def log_odds(self, document: Document, candidates: Candidates) -> NDArray[np.float64]:
        """Return what is added for each candidate [candidates]."""


class TagRanker:
    """Proposes, scores and selects the tags of an article."""

    def __init__(
        self,
        sources: Sequence[Source],
        trees: BoostedTrees,
        thresholds: Thresholds,
        lexicon: Lexicon,
        distinct: Distinct = without_repeats,
        adjustment: Adjustment | None = None,
    ) -> None:
        """Rank what `sources` propose; raises ModelError if the trees look at a feature that no source measures."""
        self.sources, self.trees, self.thresholds = sources, trees, thresholds
        self._lexicon, self._distinct, self._adjustment = lexicon, distinct, adjustment
        measured = {feature.name for feature in self.features}
        if missing := [name for name in trees.features if name not in measured]:
            raise ModelError(
                f"the ranking of tags looks at features that this version does not have: {', '.join(missing)}; "
                "calibrate the model again"
            )

    @property
    def features(self) -> list[Feature]:
        """The features that the sources measure, in their order."""
        return [feature for source in self.sources for feature in source.features]

    def document(self, article: HasText, output: NetworkOutput) -> Document:
        """Return an article as the sources see it."""
        return Document(self._lexicon.tokenise(article.title), self._lexicon.tokenise(article.body), output)

    def candidates(self, document: Document) -> Candidates:
        """Return all candidates of a document, each once."""
        return Candidates(candidate for source in self.sources for candidate in source.propose(document))

    def table(self, document: Document, candidates: Candidates, names: Sequence[str]) -> NDArray[np.float64]:
        """Return the named features [candidates, names] of candidates."""
        columns = {
            name: column for source in self.sources for name, column in source.measure(document, candidates).items()
        }
        made = np.empty((len(names), len(candidates)))
        for row, name in zip(made, names, strict=True):
            row[:] = columns[name]
        return made.T

    def rank(self, article: HasText, output: NetworkOutput, options: PredictOptions) -> tuple[Tag, ...]:
        """Return the tags of an article, best first, with spans in its body."""
        if not options.max_tags:
            return ()
        document = self.document(article, output)
        candidates = self.candidates(document)
        table = self.table(document, candidates, self.trees.features)
        adjusted = self._adjustment.log_odds(document, candidates) if self._adjustment else np.zeros(len(candidates))
        scores = self.scores(table, adjusted)
        chosen = select(candidates, scores, self.thresholds, options.max_tags, options.min_score, self._distinct)
        return tuple(
            Tag(
                candidates[n].entry.text,
                round(float(scores[n]), 4),
                _spans(candidates[n], document.body),
                why=self._explain(table[n], float(adjusted[n])) if options.explain else None,
            )
            for n in chosen
        )

    def scores(self, table: NDArray[np.float64], adjusted: NDArray[np.float64] | float = 0.0) -> NDArray[np.float64]:
        """Return the probability [candidates] that each candidate is a tag of the article.

        `table` has the features of the trees [candidates, features]; `adjusted` is added to the log odds.
        """
        return np.asarray(1 / (1 + np.exp(-self.trees.log_odds(table) - adjusted)))

    def _explain(self, features: NDArray[np.float64], adjusted: float) -> dict[str, float]:
        """Return what each feature adds to the log odds, largest first, behind the start that all tags share."""
        contributions = self.trees.contributions(features[None])[0].tolist()
        added = dict(zip(self.trees.features, contributions, strict=True))
        if self._adjustment:
            added[self._adjustment.name] = adjusted
        kept = {name: round(value, 3) for name, value in added.items() if abs(value) >= 0.0005}
        return {"start": round(self.trees.bias, 3)} | dict(sorted(kept.items(), key=lambda part: -abs(part[1])))


def _spans(candidate: Candidate, body: TokenisedText) -> tuple[tuple[int, int], ...]:
    """Return the offsets of the mentions in the body, without a proclitic that the tag itself does not have."""
    opening = words(candidate.entry.text)[0].text
    forms = [opening, f"ال{opening}", *([f"ل{opening[2:]}"] if opening.startswith("ال") else [])]  # الأردن in للأردن
    spans = []
    for first, last in candidate.mentions.body:
        word, start = body.lexemes[first].text, body.starts[first]
        for form in forms:
            if word.endswith(form):
                if len(form) < len(word):
                    start += align(body.slice(first, first)).starts[len(word) - len(form)]
                break
        spans.append((start, body.ends[last]))
    return tuple(spans)
