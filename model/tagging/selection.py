"""Which of an article's candidates say the same: of names for one thing, one is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from wusum.model.tagging.features import Candidate, parts
from wusum.model.tagging.sources.new_phrases import title_length
from wusum.model.tagging.vocabulary import Entry
from wusum.model.text.normalisation import match_key, words

PREFERRED = 0.5
"""Part of the score of a name that its fuller form must have to stand for it."""


def fuller(found: Sequence[Candidate], scores: NDArray[np.float64]) -> dict[int, int]:
    """For a candidate that stands in an article only as a part of another the number of that one, the fullest of all.

    What editors have given gives way only to what they have given, too, and with at least PREFERRED of its score:
    often they prefer the short name.
    """
    places = {candidate.entry.key: n for n, candidate in enumerate(found) if candidate.mentions.body}
    chosen: dict[int, int] = {}
    for whole in sorted(places.values(), key=lambda n: -len(found[n].entry.key)):
        for key in parts(found[whole].entry.key):
            part = places.get(key)
            if part is None or len(found[part].mentions.body) > len(found[whole].mentions.body):
                continue
            known = found[whole].entry.tagged and scores[whole] >= PREFERRED * scores[part]
            if known or not found[part].entry.tagged:
                chosen.setdefault(part, chosen.get(whole, whole))
    return chosen


def without_repeats(
    found: Sequence[Candidate], ranked: Sequence[int], most: int, together: Callable[[Entry, Entry], bool]
) -> list[int]:
    """The first of some candidates, but for those that only say again what one before has said.

    A new phrase does so where it is a part of another tag or has one as a part. What editors have given does so where
    `_says_again` tells it, or it is part or whole of a tag that they do not give `together` with it. So does any name
    with a title before, after the name without (الرئيس الروسي فلاديمير بوتين).
    """
    given: dict[str, int] = {}
    wholes: dict[str, list[int]] = {}
    for n in ranked:
        if len(given) == most:
            break
        entry, own = found[n].entry, parts(found[n].entry.key)
        within = [found[given[key]] for key in dict.fromkeys(own) if key in given]
        around = [found[whole] for whole in wholes.get(entry.key, ())]
        if entry.tagged:
            again = _says_again(found[n], within, around) or any(
                other.entry.tagged and not together(entry, other.entry) for other in within + around
            )
        else:
            again = bool(within or around)
        if not again and _untitled(entry) not in given:
            given[entry.key] = n
            for key in own:
                wholes.setdefault(key, []).append(n)
    return list(given.values())


def _says_again(candidate: Candidate, within: Sequence[Candidate], around: Sequence[Candidate]) -> bool:
    """Whether a tag says what its parts `within` or the wholes `around` it have said, by where they stand.

    A tag that does not stand in the body does, after a whole, or after a part that is a name of several words. One that
    stands there does after such a part that stands nowhere without it, or, if it is itself of several words, after a
    whole that does not stand in the article (الولايات المتحدة after الولايات المتحدة الأميركية).
    """
    places = candidate.mentions.body
    named = [part for part in within if " " in part.entry.key]
    if not places:
        return bool(named or around)
    alone = all(len(part.mentions.body) > len(places) for part in named)
    missing = [whole for whole in around if not (whole.mentions.body or whole.mentions.in_title)]
    hollow = " " in candidate.entry.key and bool(missing)
    return not alone or hollow


def _untitled(entry: Entry) -> str:
    """The match key of a tag without a title before a name."""
    parts = words(entry.text)
    return match_key(entry.text[parts[title_length([part.text for part in parts], ())].start :])
