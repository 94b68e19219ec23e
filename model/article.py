"""`Article`, the input of the tagger, and the parsing of a scraped page into one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from wusum.model.pages.layout import ArticleSpan, find_headline, parse_page
from wusum.model.pages.markers import EDGE_CHARS


@dataclass(frozen=True, slots=True)
class Article:
    """An article. The model reads its title and body only; the other fields come from the page or its editor."""

    id: str
    body: str
    title: str = ""
    source: str = ""
    tags: tuple[str, ...] = ()
    """The tags that the editor gave, each once."""
    section: str = ""
    related: tuple[Article, ...] = ()
    """Other articles that the page contains in full."""
    similar: tuple[str, ...] = ()
    """Headlines of other articles."""
    offset: int = 0
    """Start of the body in the page that it comes from: `raw[offset:offset + len(body)] == body`."""

    @classmethod
    def from_page(cls, raw: str, id: str = "") -> Article:
        """Parse a page as a scraper saved it.

        Any text is accepted: a page without markers (المصدر، كلمات دلالية، اقرأ أيضاً، مقالات مشابهة) becomes a body as
        a whole; a page of nothing but markers has the body "".
        """

        def article(span: ArticleSpan, id: str = "") -> Article:
            return cls(id, raw[span.start : span.end], span.title, span.source, offset=span.start)

        page = parse_page(raw)
        main = article(page.main, id)
        return replace(
            main,
            tags=page.tags.tags,
            section=page.tags.section,
            related=tuple(map(article, page.related)),
            similar=page.similar,
        )

    def with_headline(self) -> Article:
        """Return the article with the headline at the beginning of its body as its title, if it has no title.

        `from_page` recognises a headline only on a page with markers. With this, the model reads the same article
        whether the page had them or not.
        """
        title, start = ("", 0) if self.title else find_headline(self.body, 0, len(self.body))
        if not title:
            return self
        body = self.body[start:]
        lead = len(body) - len(body.lstrip(EDGE_CHARS))
        return replace(self, title=title, body=body[lead:], offset=self.offset + start + lead)
