"""Split a line of tags that only spaces separate: score every gap between two words, choose the best cuts.

A gap's score is the log odds, by logistic regression, that a tag ends there. `wusum train splitter` fits the weights;
`splitter.json` beside this file holds them.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from wusum.model.errors import ModelError
from wusum.model.text.normalisation import normalise
from wusum.model.text.words import strip_clitics, words

MAX_TAG_WORDS = 8
"""Words of the longest tag that `best_cuts` makes."""
WEIGHTS_FILE = Path(__file__).with_name("splitter.json")
"""The weights that the package ships."""


def normalised_words(text: str) -> frozenset[str]:
    """Return the words of a text in the spelling of `normalise`."""
    return frozenset(normalise(text).split())


_NISBA = ("ي", "يه", "يين", "يون")  # endings of relative adjectives: روسي، روسية
_FUNCTION_WORDS = normalised_words(
    "في من على عن إلى بين مع ضد حول تحت بعد قبل أو عند خلال دون بلا ضمن عبر منذ حتى نحو بسبب لدى بحق"
)
_NAME_PARTS = normalised_words("أبو أبي بن ابن أم آل عبد بنت ذو دو فان دي سان محمد أحمد")
# Adjectives that never open a tag.
_FOLLOWERS = normalised_words(
    "المتحدة المحتلة المحتل المسلحة المسلح العليا الأعلى الكبرى العام العامة المشترك المشتركة الجديد الجديدة"
    " مشتركة جديدة جديد"
)
# Nouns that hardly ever stand alone as a tag: a genitive follows (وزارة → وزارة الخارجية).
_HEADS = normalised_words(
    "رئيس رئيسة رئاسة حزب أزمة مدينة وزارة وزير وزيرة مجلس حكومة عملية عمليات قوات ولاية قطاع موقع شركة شركات"
    " حركة منظمة صحيفة مجلة صواريخ قاعدة مجموعة قمة قانون بلدة قرية منطقة وكالة مطار حملة هيئة نظام مقاطعة إقليم"
    " مقتل ميناء جبهة جزيرة ذكرى ريف أسعار سعر مركز حي نادي جبل ثورة اتفاقية وحدة زعيم مهرجان حقوق تحالف محور"
    " مكافحة حرس حقل مستوطنة منظومة لجنة جهاز معاهدة برنامج اتحاد استخدام إعادة إطلاق وقف شمال جنوب شرق غرب وسائل"
    " كتائب سرايا جيش محكمة جامعة معبر مخيم كتيبة محافظة بنك مؤسسة معهد منتخب دوري كأس سفارة مضيق وادي مكتب جماعة"
    " كتلة كيان خط"
)
# Countries, cities and a few bodies: more often a tag by themselves than the opening of a longer one.
_PLACES = normalised_words(
    "فلسطين غزة القدس إسرائيل لبنان بيروت سوريا دمشق حلب الأردن عمان العراق بغداد إيران طهران تركيا أنقرة"
    " السعودية الرياض الإمارات دبي أبوظبي قطر الدوحة الكويت البحرين اليمن صنعاء عدن مصر القاهرة السودان الخرطوم"
    " ليبيا طرابلس تونس الجزائر المغرب الرباط موريتانيا نواكشوط الصومال مقديشو جيبوتي إثيوبيا إريتريا كينيا"
    " نيجيريا النيجر مالي تشاد السنغال غينيا غانا رواندا أنغولا أفريقيا آسيا أوروبا أميركا أمريكا واشنطن نيويورك"
    " كندا المكسيك كوبا فنزويلا كولومبيا البرازيل الأرجنتين تشيلي بوليفيا بيرو روسيا موسكو أوكرانيا كييف بيلاروسيا"
    " بولندا رومانيا بلغاريا المجر صربيا اليونان قبرص ألمانيا برلين فرنسا باريس بريطانيا لندن إيطاليا روما إسبانيا"
    " مدريد البرتغال هولندا بلجيكا بروكسل سويسرا جنيف النمسا فيينا السويد النرويج الدنمارك فنلندا أيرلندا جورجيا"
    " أرمينيا أذربيجان كازاخستان أوزبكستان أفغانستان كابول باكستان الهند بنغلادش سريلانكا ميانمار الصين بكين"
    " تايوان اليابان طوكيو تايلاند فيتنام ماليزيا إندونيسيا سنغافورة الفلبين أستراليا نيوزيلندا الضفة جنين نابلس"
    " رفح الخليل حماس داعش طالبان الناتو"
)
_NEAR = re.compile(r"[\s\"'«»“”()\[\]\-–_\u200b-\u200f]*")


class Phrases:
    """Counts of the words of a text and of its pairs of neighbouring words.

    Proclitics of a pair's first word and the article of its second do not matter. A pair that punctuation divides is
    not counted, unless the punctuation is quotation marks, brackets or dashes.
    """

    def __init__(self, text: str) -> None:
        """Count the words and pairs of `text`."""
        self.words: Counter[str] = Counter()
        self.pairs: Counter[tuple[str, str]] = Counter()
        before: list[str] = []
        end = 0
        for word in words(text):
            # A comma between two words shows the opposite of a phrase.
            for first in before if _NEAR.fullmatch(text, end, word.start) else ():
                self.pairs[first, _without_article(word.text)] += 1
            before = _readings(word.text)
            self.words.update(before)
            end = word.end

    def pair(self, first: str, second: str) -> int:
        """Return how often two normalised words stand next to each other."""
        return self.pairs[strip_clitics(first), _without_article(second)]


@dataclass(frozen=True, slots=True)
class SplitterWeights:
    """A logistic regression over the features of `gap_features`."""

    bias: float
    weights: Mapping[str, float]
    """One weight for each name in `FEATURES`."""
    provenance: Mapping[str, Any]
    """Corpora, settings and scores of the fit, for a reader of the file; nothing depends on it."""

    @classmethod
    def load(cls, path: Path) -> SplitterWeights:
        """Read weights that `save` wrote.

        Raises ModelError, which names the file, if it is missing or damaged or if its names are not `FEATURES`.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            bias, weights, provenance = float(data["bias"]), dict(data["weights"]), dict(data["provenance"])
            weights = {name: float(weight) for name, weight in weights.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(
                f"{path}: not the weights of a tag-line splitter ({error!r}); install wusum again"
            ) from error
        if not all(map(math.isfinite, (bias, *weights.values()))):
            raise ModelError(f"{path}: a weight is not finite; fit the weights again with `wusum train splitter`")
        if names := sorted(weights.keys() ^ set(FEATURES)):
            raise ModelError(
                f"{path}: its weights are not those of the features of this version ({', '.join(names)} missing or "
                "unknown); fit them again with `wusum train splitter`"
            )
        return cls(bias, weights, provenance)

    def save(self, path: Path) -> None:
        """Write the weights as JSON, sorted by name."""
        weights = dict(sorted(self.weights.items()))
        data = {"provenance": dict(self.provenance), "bias": self.bias, "weights": weights}
        path.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    def log_odds(self, features: Mapping[str, float]) -> float:
        """Return the log odds that a tag ends in a gap with these features."""
        return self.bias + sum(self.weights[name] * value for name, value in features.items() if value)


@cache
def bundled_weights() -> SplitterWeights:
    """Load the weights that the package ships, once; raises ModelError if the file is damaged."""
    return SplitterWeights.load(WEIGHTS_FILE)


def plain_words(tokens: Sequence[str]) -> list[str]:
    """Return the tokens of a line in normalised spelling, without punctuation; "" for one that has no word."""
    return ["".join(word.text for word in words(token)) for token in tokens]


def best_cuts(scores: Sequence[float]) -> list[int]:
    """Return the cuts with the highest sum of scores that leave no tag longer than MAX_TAG_WORDS.

    `scores[i]` belongs to a cut before word `i + 1` of a line of `len(scores) + 1` words. The cuts are indices of the
    words that begin a tag, ascending, without 0.
    """
    length = len(scores) + 1
    best: list[tuple[float, int]] = [(0.0, 0)]  # for the first n words: the sum, and the start of the last tag
    for end in range(1, length + 1):
        gain = scores[end - 1] if end < length else 0.0
        starts = range(max(0, end - MAX_TAG_WORDS), end)
        best.append(max((best[start][0] + gain, start) for start in starts))
    cuts = []
    at = length
    while at := best[at][1]:
        cuts.append(at)
    return cuts[::-1]


def boundary_scores(plain: Sequence[str], phrases: Phrases, weights: SplitterWeights | None = None) -> list[float]:
    """Return, for each gap between two words of a line, the log odds that a tag ends there.

    `plain` holds the line's words as `plain_words` gives them. Without `weights`, those that the package ships count.
    """
    weights = weights or bundled_weights()
    return [weights.log_odds(features) for features in gap_features(plain, phrases)]


def gap_features(plain: Sequence[str], phrases: Phrases) -> Iterator[dict[str, float]]:
    """Yield the features of each gap between two words of a line, by name: every name of `FEATURES`, in that order.

    A feature's value is 0 or 1, except for the shares: of the occurrences of a word in the text, the part that stands
    in this pair.
    """
    gaps = list(pairwise(plain))
    before: defaultdict[str, set[str]] = defaultdict(set)
    for a, b in gaps:
        before[b].add(a)
    in_line = Counter(gaps)
    in_text = [0, *(phrases.pair(a, b) for a, b in gaps), 0]
    for i, (a, b) in enumerate(gaps, start=1):
        count = in_text[i]
        definite = a.startswith("ال"), b.startswith("ال")
        adjectives = a.endswith(_NISBA), b.endswith(_NISBA)
        first, second = phrases.words[strip_clitics(a)], phrases.words[strip_clitics(b)]
        yield {
            "pair in text": count > 0,
            "pair in text twice": count > 1,
            "only the previous pair in text": not count and in_text[i - 1] > 0,
            "only the next pair in text": not count and in_text[i + 1] > 0,
            "pair twice in line": in_line[a, b] > 1,
            "second elsewhere in line": in_line[a, b] == 1 and len(before[b]) > 1,
            "same word": a == b,
            "function word first": a in _FUNCTION_WORDS or not a,
            "function word second": b in _FUNCTION_WORDS or not b,
            "name part first": a in _NAME_PARTS,
            "head first": a in _HEADS,
            "head second": b in _HEADS,
            "follower first": a in _FOLLOWERS,
            "follower second": b in _FOLLOWERS,
            "place, indefinite": a in _PLACES and not definite[1],
            "place, definite": a in _PLACES and definite == (False, True),
            "preposition joined": b.startswith(("بال", "لل", "وال")),
            "conjunction joined": b.startswith("و") and not b.startswith(("وز", "وك", "وال", "وس", "وق", "ول")),
            "definite, indefinite": definite == (True, False),
            "definite noun, definite noun": all(definite) and not adjectives[1],
            "definite, definite adjective": all(definite) and adjectives[1],
            "feminine both": all(definite) and a.endswith("ه") and b.endswith("ه"),
            "indefinite, indefinite adjective": not any(definite) and adjectives[1],
            "adjective, definite noun": adjectives[0] and definite[1] and not adjectives[1],
            "adjective, indefinite noun": adjectives[0] and not definite[1] and not adjectives[1],
            "number first": a[:1].isdigit(),
            "number second": b[:1].isdigit(),
            "share of first": min(1.0, count / max(1, first)),
            "share of second": min(1.0, count / max(1, second)),
        }


def _without_article(word: str) -> str:
    return word[2:] if word.startswith("ال") and len(word) > 4 else word


def _readings(word: str) -> list[str]:
    """Return the keys that a word of running text may have: بقطاع is قطاع after a preposition, or another word."""
    key = strip_clitics(word)
    return [key, key[1:]] if key == word and len(key) >= 4 and key[0] in "بلك" else [key]


FEATURES: tuple[str, ...] = tuple(next(gap_features(("", ""), Phrases(""))))
"""Names of the features of a gap."""
