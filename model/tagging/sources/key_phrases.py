"""Key phrases by TF-IDF: what is frequent in an article and rare elsewhere, known before or not."""

from __future__ import annotations

from wusum.model.network.spans import BREAK
from wusum.model.text.lexicon import Text

LONGEST = 3
"""Words of the longest phrase, but for the SON in a name."""

SON = "بن"
"""What joins the parts of a name: of محمد بن سلمان neither is the name."""

READ = 400
"""Words of a body from which phrases are taken, from its beginning."""

MOST = 25
"""Phrases that are taken of an article."""

TITLE = 1.5
"""How much more a phrase of the title counts."""


def key_phrases(title: Text, body: Text) -> list[tuple[Text, int, int]]:
    """The phrases of an article that are frequent in it and made of rare words: the title or the body, and the numbers
    of their first and last word where each first stands.

    None goes across a verb, a sentence end or other sign; none begins or ends with a common or short word or with a
    number.
    """
    worths: dict[str, float] = {}
    places: dict[str, tuple[Text, int, int]] = {}
    for text, worth, reach in ((title, TITLE, None), (body, 1.0, READ)):
        words = [(lexeme.readings[0], lexeme.rare, lexeme.verb, lexeme.edge) for lexeme in text.lexemes[:reach]]
        apart = [gap != " " and bool(BREAK.search(gap)) for gap in text.gaps[:reach]]
        for first, opening in enumerate(words):
            if not opening[3]:
                continue
            size, key, together = 0, "", 0.0
            for last in range(first, len(words)):
                stem, rare, verb, edge = words[last]
                size += stem != SON
                if size > LONGEST or verb or (last > first and apart[last]):
                    break
                key = f"{key} {stem}" if key else stem
                together += rare
                if edge:
                    if key in worths:
                        worths[key] += worth * together
                    else:
                        worths[key] = worth * together
                        places[key] = text, first, last
    least = sorted(worths.values(), reverse=True)[:MOST]
    best = sorted((-total, key) for key, total in worths.items() if total >= least[-1])[:MOST]
    return [places[key] for _, key in best]
