"""Candidates for the tags of an article, and what every candidate source works on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from wusum.model.network.outputs import NetworkOutput, log_softmax
from wusum.model.tagging.entry import Entry, Mentions
from wusum.model.text.lexicon import TokenisedText

Value = TypeVar("Value")

Columns = Mapping[str, NDArray[Any]]
"""Features by name, each [candidates]."""


NO_LABEL = -8.0
"""Stands in for the log probability of a tag that has no label in the head."""


class Gazetteer(Protocol):
    """A list of tags that finds those that stand in a text, such as a `Vocabulary`."""

    @property
    def entries(self) -> Sequence[Entry]:
        """The tags."""

    def find(self, text: TokenisedText) -> dict[int, list[tuple[int, int]]]:
        """Return the numbers of the entries that stand in a text, with the word numbers of their mentions."""


class Candidate(NamedTuple):
    """A tag that an article may get, and where it stands in the article."""

    entry: Entry
    mentions: Mentions


@dataclass(frozen=True, slots=True)
class Document:
    """An article as candidate sources see it: words of title and body, and the output of the network."""

    title: TokenisedText
    body: TokenisedText
    output: NetworkOutput
    _memo: dict[int, Any] = field(default_factory=dict)

    def memo(self, owner: object, compute: Callable[[Document], Value]) -> Value:
        """Return what `compute` makes of this document for `owner`, computing it once."""
        key = id(owner)
        if key not in self._memo:
            self._memo[key] = compute(self)
        found: Value = self._memo[key]
        return found

    def head_log_probabilities(self) -> NDArray[np.float64]:
        """Return the log probabilities [labels] under the tag head."""
        return self.memo(Document, lambda document: log_softmax(document.output.tag_logits))


class Candidates(Sequence[Candidate]):
    """The candidates of one article, with what is counted about them as arrays [candidates]."""

    def __init__(self, proposals: Iterable[Candidate]) -> None:
        """Merge proposals: of several with one match key, the first counts."""
        found: dict[str, Candidate] = {}
        for candidate in proposals:
            found.setdefault(candidate.entry.key, candidate)
        self._candidates = list(found.values())
        self.keys = list(found)
        """Match keys."""
        places = ((len(m.body), m.body[0][0] if m.body else -1, m.in_title) for _, m in self._candidates)
        self.mentions, self.first_word, self.in_title = (
            np.fromiter(chain.from_iterable(places), np.int64).reshape(-1, 3).T
        )
        """Mentions in the body; number of the first mention's first word, -1 for none; 1 if it stands in the title."""
        self.occurrences = self.mentions + self.in_title
        self.present = self.occurrences > 0
        """Whether a candidate stands in the title or the body."""

    def __len__(self) -> int:
        """Return the number of candidates."""
        return len(self._candidates)

    def __getitem__(self, number: Any) -> Any:
        """Return a candidate."""
        return self._candidates[number]

    def __iter__(self) -> Iterator[Candidate]:
        """Iterate in the order of the proposals."""
        return iter(self._candidates)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """The counts of the entries [candidates, 4]: `present`, `tagged`, `prior` and `label`."""
        rows = ((e.present, e.tagged, e.prior, e.label) for e, _ in self._candidates)
        return np.fromiter(chain.from_iterable(rows), np.int64).reshape(-1, 4)


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature of a candidate."""

    name: str
    description: str
    from_network: bool = False
    """Whether it depends on the heads of the network, which are surer of articles that they were trained on."""


class Source(Protocol):
    """A source of candidates: what it proposes for a document, and the features that it knows of every candidate."""

    @property
    def features(self) -> tuple[Feature, ...]:
        """The features that it measures."""

    def propose(self, document: Document) -> Iterable[Candidate]:
        """Return candidates in the order in which they are to be considered."""

    def measure(self, document: Document, candidates: Candidates) -> Columns:
        """Return a column [candidates] for each of `features`."""


def standing(gazetteer: Gazetteer, document: Document) -> list[Candidate]:
    """Return the entries of a gazetteer that stand in a document, each with its mentions."""
    mentions = {number: Mentions(spans) for number, spans in gazetteer.find(document.body).items()}
    for number in gazetteer.find(document.title):
        mentions.setdefault(number, Mentions()).in_title = True
    return [Candidate(gazetteer.entries[number], places) for number, places in mentions.items()]
