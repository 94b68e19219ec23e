"""A controlled vocabulary: a newsroom's own tags, and only those, under its names and ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from wusum.model.network.outputs import HasText, NetworkOutput
from wusum.model.options import PredictOptions
from wusum.model.prediction import Tag
from wusum.model.tagging.entry import Entry
from wusum.model.tagging.ranker import TagModel, TagRanker
from wusum.model.tagging.selection import first
from wusum.model.tagging.sources.centrality import Centrality
from wusum.model.tagging.sources.known_tags import KnownTags
from wusum.model.tagging.sources.linear import LinearTags
from wusum.model.tagging.sources.nesting import Nesting
from wusum.model.tagging.sources.new_phrases import SpanScores
from wusum.model.tagging.sources.phrase_statistics import PhraseStatistics
from wusum.model.tagging.sources.similarity import TagLogits, TermSimilarity
from wusum.model.tagging.sources.tag_head import TagHead
from wusum.model.tagging.terms import Term
from wusum.model.tagging.vocabulary import Vocabulary
from wusum.model.text.words import match_key

ASSUMED_COUNTS: Final = (4, 2, 2)
"""The counts that an entry has of a term that no training article has: somebody wants it given."""


class ControlledRanker:
    """Ranks the terms of a controlled vocabulary as a model ranks its own tags.

    The names of one term become one tag with the score of the likeliest. Terms that are parts of one another are all
    given: whoever lists both has a use for both.
    """

    def __init__(self, model: TagModel, terms: Iterable[Term], tag_logits: TagLogits | None = None) -> None:
        """Rank `terms`; with `tag_logits`, those that the model does not know are compared with the article."""
        self.terms = tuple(terms)
        self._term: dict[str, Term] = {}
        known, entries = model.vocabulary, []
        for term in self.terms:
            for form in (term.text, *term.aliases):
                key = match_key(form)
                if key in self._term:
                    continue  # two spellings of one term; `load_terms` refuses those of two
                self._term[key] = term
                number = known.index(key)
                unseen = Entry(key, form, *ASSUMED_COUNTS, label=-1)
                entries.append(unseen if number is None else known.entries[number])
        self.vocabulary = Vocabulary(entries)
        unknown = frozenset(key for key in self._term if key not in known)
        self._ranker = TagRanker(
            [
                KnownTags(self.vocabulary),
                TagHead(self.vocabulary),
                LinearTags(model.linear, known, self.vocabulary),
                SpanScores(),
                PhraseStatistics(model.statistics),
                Centrality(model.tag_words, model.statistics),
                Nesting(),
            ],
            model.trees,
            model.thresholds,
            model.lexicon,
            first,
            TermSimilarity(tag_logits, known, unknown) if tag_logits else None,
        )

    def rank(self, article: HasText, output: NetworkOutput, options: PredictOptions) -> tuple[Tag, ...]:
        """Return the tags of an article, best first, with spans in its body."""
        if not options.max_tags:
            return ()
        made: dict[Term, Tag] = {}
        every = replace(options, max_tags=len(self.vocabulary.entries))
        for tag in self._ranker.rank(article, output, every):
            term = self._term[match_key(tag.text)]
            best = made.setdefault(term, replace(tag, text=term.text, id=term.id))
            made[term] = replace(best, spans=tuple(sorted({*best.spans, *tag.spans})))
        return tuple(made.values())[: options.max_tags]
