"""Parser: the parts of raw pages, as `Article.from_page` extracts them. No model takes part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wusum.eval.config import EvalConfig
from wusum.eval.measures.answers import Answers, Extraction, Key
from wusum.eval.measures.metrics import micro_f1
from wusum.eval.suites.suite import Suite
from wusum.model.article import Article
from wusum.model.errors import CorpusError
from wusum.model.tagger import Tagger
from wusum.model.text.words import match_key
from wusum.train.data.corpora import rows

PARTS = ("title", "body", "source", "section", "tags F1", "similar", "related")


def _keys(config: EvalConfig) -> Iterator[Key]:
    """Yield the corpus of raw pages, if there is one."""
    if config.pages:
        yield Key("parser", config.pages)


def _answer(key: Key, tagger: Tagger, config: EvalConfig) -> Answers:
    """Return the scores of each page's parts; raises CorpusError if no page has its parts annotated."""
    pages = [row for row in rows(config.data, key.corpus) if row.get("raw") and row.get("truth")]
    if not pages:
        raise CorpusError(f"{key.corpus}: no raw page has its parts annotated")
    return Extraction(key, tuple(page["id"] for page in pages), PARTS, tuple(map(_scores, pages)))


def _scores(page: dict[str, Any]) -> tuple[float, ...]:
    """Return the scores of `PARTS`: 1 for an exact match and 0 for any other, but F1 for tags."""
    article, truth = Article.from_page(page["raw"], page["id"]), page["truth"]
    gold, found = ({match_key(tag) for tag in tags} for tags in (truth["tags"], article.tags))
    stories = [(other["title"], other["body"]) for other in truth["related"]]
    return (
        float(article.title == (truth["title"] or "")),
        float(article.body == truth["body"]),
        float(article.source == (truth["source"] or "")),
        float(article.section == (truth["section"] or "")),
        micro_f1([(found, gold)]) if found or gold else 1.0,
        float(list(article.similar) == truth["similar"]),
        float([(other.title, other.body) for other in article.related] == stories),
    )


SUITE = Suite(_keys, _answer)
