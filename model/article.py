"""Article: what the tagger reads, and a scraped page taken apart into one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from wusum.model.pages.layout import Story, find_headline, parse_page
from wusum.model.pages.markers import EDGE


@dataclass(frozen=True, slots=True)
class Article:
    """One article: what the model reads (title, body) and what an editor gave with it (never read by the model)."""

    id: str
    body: str
    title: str = ""
    source: str = ""
    tags: tuple[str, ...] = ()
    """As the editor gave them, without repetitions."""
    section: str = ""
    related: tuple[Article, ...] = ()
    """Other articles that the page carries in full."""
    similar: tuple[str, ...] = ()
    """Headlines of other articles."""
    offset: int = 0
    """Where the body begins in the given page: `raw[offset:offset + len(body)] == body`, always."""

    @classmethod
    def from_page(cls, raw: str, id: str = "") -> Article:
        """A page as a scraper saved it → Article.

        Raises nothing, whatever the text: a page without markers (المصدر، كلمات دلالية، اقرأ أيضاً، مقالات مشابهة) is
        all body, a page of nothing but markers has the body "".
        """

        def story(of: Story, name: str = "") -> Article:
            return cls(name, raw[of.start : of.end], of.title, of.source, offset=of.start)

        page = parse_page(raw)
        main = story(page.main, id)
        return replace(
            main,
            tags=page.tags.tags,
            section=page.tags.section,
            related=tuple(map(story, page.related)),
            similar=page.similar,
        )

    def with_headline(self) -> Article:
        """The article with the headline that its body opens with as its title, where it has none.

        A page's headline is told from its body only where the page has markers. Taken apart so, an article reads the
        same with them and without.
        """
        title, start = ("", 0) if self.title else find_headline(self.body, 0, len(self.body))
        if not title:
            return self
        body = self.body[start:]
        lead = len(body) - len(body.lstrip(EDGE))
        return replace(self, title=title, body=body[lead:], offset=self.offset + start + lead)
