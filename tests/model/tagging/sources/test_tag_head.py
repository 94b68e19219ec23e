"""The tag head: what it proposes without its standing in the article."""

from __future__ import annotations

from dataclasses import replace

from tests.support import network_output, vocabulary_of
from wusum.model.tagging.candidates import Document
from wusum.model.tagging.sources.tag_head import MAX_PROPOSALS, TagHead
from wusum.model.tagging.vocabulary import Vocabulary
from wusum.model.text.lexicon import plain_lexicon


def proposed(vocabulary: Vocabulary, *logits: float) -> list[str]:
    nothing = plain_lexicon().tokenise("")
    document = Document(nothing, nothing, network_output(*logits))
    return [candidate.entry.text for candidate in TagHead(vocabulary).propose(document)]


def test_the_likeliest_labels_come_first() -> None:
    assert proposed(vocabulary_of("كرة القدم", "تجارة", "طقس"), 1.0, 3.0, 2.0) == ["تجارة", "طقس", "كرة القدم"]
    many = [f"وسم{chr(0x0628 + n)}" for n in range(2 * MAX_PROPOSALS)]
    assert proposed(vocabulary_of(*many), *range(len(many))) == many[: -MAX_PROPOSALS - 1 : -1]


def test_only_subjects_are_proposed() -> None:
    """A person whom an article does not name is no tag of it, however sure the head is."""
    sport, player = vocabulary_of("كرة القدم", "ليونيل ميسي").entries
    assert proposed(Vocabulary([sport, replace(player, subject=False)]), 1.0, 9.0) == ["كرة القدم"]
    names = [f"اسم{chr(0x0628 + n)}" for n in range(2 * MAX_PROPOSALS)]
    sport, *players = vocabulary_of("كرة القدم", *names).entries
    mixed = Vocabulary([sport, *(replace(player, subject=False) for player in players)])
    assert proposed(mixed, 1.0, *[9.0] * len(players)) == ["كرة القدم"]
