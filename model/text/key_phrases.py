"""Key phrases by TF-IDF: runs of words that are frequent in the article and rare elsewhere."""

from __future__ import annotations

from wusum.model.text.lexicon import TokenisedText
from wusum.model.text.words import PHRASE_BREAK

NAME_JOINER = "بن"
"""Joins the parts of a name: neither محمد nor سلمان alone is the name of محمد بن سلمان."""


MAX_KEY_PHRASE_WORDS = 3
"""Words of the longest phrase, not counting NAME_JOINER."""


MAX_BODY_WORDS = 400
"""Words of a body, from its beginning, in which phrases are looked for."""


MAX_PHRASES = 25
"""Phrases of an article."""


TITLE_WEIGHT = 1.5
"""Weight of a phrase of the title; one of the body has 1."""


def key_phrases(title: TokenisedText, body: TokenisedText) -> list[tuple[TokenisedText, int, int]]:
    """Return the phrases of an article with the highest TF-IDF, best first.

    Each is the title or the body, and the numbers of its first and last word where it first stands there. No phrase
    crosses a verb or punctuation; none begins or ends with a common or short word or a number.
    """
    weights: dict[str, float] = {}
    places: dict[str, tuple[TokenisedText, int, int]] = {}
    for text, weight, reach in ((title, TITLE_WEIGHT, None), (body, 1.0, MAX_BODY_WORDS)):
        words = [(lexeme.readings[0], lexeme.idf, lexeme.is_verb, lexeme.is_edge) for lexeme in text.lexemes[:reach]]
        broken = [gap != " " and bool(PHRASE_BREAK.search(gap)) for gap in text.gaps[:reach]]
        for first, opening in enumerate(words):
            if not opening[3]:
                continue
            size, key, total = 0, "", 0.0
            for last in range(first, len(words)):
                stem, idf, is_verb, is_edge = words[last]
                size += stem != NAME_JOINER
                if size > MAX_KEY_PHRASE_WORDS or is_verb or (last > first and broken[last]):
                    break
                key = f"{key} {stem}" if key else stem
                total += idf
                if is_edge:
                    if key in weights:
                        weights[key] += weight * total
                    else:
                        weights[key] = weight * total
                        places[key] = text, first, last
    least = sorted(weights.values(), reverse=True)[:MAX_PHRASES]
    best = sorted((-total, key) for key, total in weights.items() if total >= least[-1])[:MAX_PHRASES]
    return [places[key] for _, key in best]
