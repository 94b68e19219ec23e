"""What the tags of a model have to beat: a dictionary of editors' tags, and unsupervised keyphrases.

Each takes training articles with tags, and the articles to tag, and gives each of those ranked match keys.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from tokenizers import Tokenizer

from wusum.model.tagger import Tagger
from wusum.model.text.words import match_key, strip_clitics, words
from wusum.train.data.corpora import Example

Ranked = list[tuple[str, ...]]
TagBaseline = Callable[[Sequence[Example], Sequence[Example]], Ranked]

MOST = 15
"""Phrases that are given of an article."""

LONGEST = 3
"""Words of the longest phrase that the unsupervised ones look for."""

TAG_WORDS = 6
"""Words of the longest tag that the dictionary looks for."""

COMMON = 0.2
"""A word that stands in more of the training articles than this begins and ends no phrase."""


def dictionary(training: Sequence[Example], articles: Sequence[Example]) -> Ranked:
    """Training tags that stand in the text, by P(tag | it stands there) · log(1 + how often it does)."""
    known = {key for e in training for key in map(match_key, e.tags or ()) if key}
    stands, tagged = Counter[str](), Counter[str]()
    for example in training:
        gold = set(map(match_key, example.tags or ()))
        there = {key for key in grams(tokens(example), TAG_WORDS) if key in known}
        stands.update(there)
        tagged.update(there & gold)

    def rank(example: Example) -> tuple[str, ...]:
        counts = Counter(key for key in grams(tokens(example), TAG_WORDS) if tagged[key])
        return best({key: tagged[key] / stands[key] * math.log1p(count) for key, count in counts.items()})

    return list(map(rank, articles))


def tfidf(training: Sequence[Example], articles: Sequence[Example]) -> Ranked:
    """Phrases of up to three words by TF-IDF."""
    common = common_words(training)
    if not any(True for e in articles for _ in phrases(tokens(e), common)):
        return [()] * len(articles)
    model = TfidfVectorizer(analyzer=lambda e: list(phrases(tokens(e), common)), sublinear_tf=False)
    model.fit([*training, *articles])
    names = model.get_feature_names_out()
    table = model.transform(articles)
    ranked: Ranked = []
    for i in range(len(articles)):
        row = table[i]
        ranked.append(best({names[j]: float(v) for j, v in zip(row.indices, row.data, strict=True)}))
    return ranked


def yake(training: Sequence[Example], articles: Sequence[Example]) -> Ranked:
    """YAKE (Campos et al. 2020), by its authors' package."""
    from yake import KeywordExtractor

    extractor = KeywordExtractor(lan="ar", n=LONGEST, top=2 * MOST)
    found = ([match_key(phrase) for phrase, _ in extractor.extract_keywords(e.text)] for e in articles)
    return [tuple(dict.fromkeys(filter(None, keys)))[:MOST] for keys in found]


def textrank(training: Sequence[Example], articles: Sequence[Example]) -> Ranked:
    """TextRank (Mihalcea and Tarau 2004): the third of the words that PageRank puts first, joined where they adjoin."""
    common = common_words(training)

    def rank(example: Example) -> tuple[str, ...]:
        found = tokens(example)
        weights = page_rank(found, common)
        kept = set(sorted(weights, key=lambda word: (-weights[word], word))[: -(-len(weights) // 3)])
        runs = (list(run) for is_kept, run in groupby(found, kept.__contains__) if is_kept)
        return best({" ".join(run): sum(weights[word] for word in run) for run in runs if len(run) <= LONGEST})

    return list(map(rank, articles))


EMBEDDED = 200
"""Phrases of an article, the first ones, that are compared with it by their embeddings."""


def embeddings(tagger: Tagger) -> TagBaseline:
    """Phrases whose embedding by the model's own encoder is nearest to the article's, with some variety among them.

    As KeyBERT does (Grootendorst 2020) with maximal marginal relevance (Carbonell and Goldstein 1998). Needs torch.
    """
    import torch

    from wusum.model.network.module import load_network, mean_pool

    network = load_network(tagger.artefact.folder)
    tokenizer = Tokenizer.from_file(str(tagger.artefact.folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(tagger.window)

    @torch.inference_mode()
    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        rows = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        vectors = np.zeros((len(rows), network.encoder.config.hidden_size), np.float32)
        start = 0
        while start < len(order):
            longest = len(rows[order[min(start + 2048, len(order)) - 1]])
            chosen = order[start : start + max(8192 // longest, 1)]
            start += len(chosen)
            ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(rows[i]) for i in chosen], batch_first=True)
            mask = (torch.arange(ids.shape[1]) < torch.tensor([[len(rows[i])] for i in chosen])).long()
            hidden = network.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
            vectors[chosen] = torch.nn.functional.normalize(mean_pool(hidden, mask), dim=-1).numpy()
        return vectors

    def rank_all(training: Sequence[Example], articles: Sequence[Example]) -> Ranked:
        common = common_words(training)
        ranked: Ranked = []
        for some in (articles[start : start + 32] for start in range(0, len(articles), 32)):
            found = [list(islice(dict.fromkeys(phrases(tokens(e), common)), EMBEDDED)) for e in some]
            distinct = list(dict.fromkeys(phrase for candidates in found for phrase in candidates))
            places = {phrase: i for i, phrase in enumerate(distinct, start=len(some))}
            vectors = embed([*(e.text for e in some), *distinct])
            for text, candidates in zip(vectors, found, strict=False):
                chosen = vectors[[places[phrase] for phrase in candidates]]
                order = varied(chosen @ text, chosen @ chosen.T) if candidates else []
                ranked.append(tuple(candidates[i] for i in order))
        return ranked

    return rank_all


def varied(relevance: NDArray[np.float32], alike: NDArray[np.float32], share: float = 0.7) -> list[int]:
    """Places of the first MOST by maximal marginal relevance: relevant, and unlike those before."""
    chosen = [int(relevance.argmax())]
    while len(chosen) < min(MOST, len(relevance)):
        value = share * relevance - (1 - share) * alike[:, chosen].max(1)
        value[chosen] = -np.inf
        chosen.append(int(value.argmax()))
    return chosen


UNSUPERVISED: dict[str, TagBaseline] = {"TF-IDF": tfidf, "YAKE": yake, "TextRank": textrank}


def tokens(example: Example) -> list[str]:
    """The words of an article as match keys have them."""
    return [strip_clitics(word.text) for word in words(example.text)]


def grams(found: Sequence[str], longest: int) -> Iterator[str]:
    """All runs of words up to a length."""
    for start in range(len(found)):
        for end in range(start + 1, min(start + longest, len(found)) + 1):
            yield " ".join(found[start:end])


def phrases(found: Sequence[str], common: set[str]) -> Iterator[str]:
    """Runs of up to LONGEST words that neither begin nor end with a common or a short word or a number."""
    good = [len(word) > 2 and not word.isdigit() and word not in common for word in found]
    for start in range(len(found)):
        for end in range(start + 1, min(start + LONGEST, len(found)) + 1):
            if good[start] and good[end - 1]:
                yield " ".join(found[start:end])


def common_words(training: Iterable[Example]) -> set[str]:
    """Words of more than the COMMON share of the articles."""
    counts, total = Counter[str](), 0
    for example in training:
        counts.update(set(tokens(example)))
        total += 1
    return {word for word, count in counts.items() if count > COMMON * total}


def page_rank(found: Sequence[str], common: set[str], damping: float = 0.85, rounds: int = 30) -> dict[str, float]:
    """The weight of each word that is not common, in the graph of words that stand next to each other."""
    content = [word for word in found if len(word) > 2 and word not in common]
    edges: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one, other in pairwise(content):
        if one != other:
            edges[one][other] += 1
            edges[other][one] += 1
    weights = dict.fromkeys(edges, 1.0)
    totals = {word: sum(near.values()) for word, near in edges.items()}
    for _ in range(rounds):
        weights = {
            word: 1 - damping + damping * sum(weights[n] * count / totals[n] for n, count in near.items())
            for word, near in edges.items()
        }
    return weights


def best(scores: dict[Any, float]) -> tuple[str, ...]:
    """The MOST best, ties by name."""
    return tuple(sorted(scores, key=lambda phrase: (-scores[phrase], phrase))[:MOST])
