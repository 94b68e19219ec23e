"""Baselines for tags: a dictionary of editors' tags, and unsupervised keyphrase extraction.

Each is a function of training articles with tags and of articles to tag, and returns for each of the latter match keys,
best first.
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

RankedKeys = list[tuple[str, ...]]
TagBaseline = Callable[[Sequence[Example], Sequence[Example]], RankedKeys]

MAX_RANKED = 15
"""Most phrases of an article."""

MAX_PHRASE_WORDS = 3
"""Words of the longest phrase of the unsupervised baselines."""

MAX_TAG_WORDS = 6
"""Words of the longest tag of the dictionary."""

COMMON_SHARE = 0.2
"""A word of more than this share of the training articles neither begins nor ends a phrase."""

MAX_EMBEDDED = 200
"""Most phrases of an article, the first ones, whose embeddings are compared with that of the article."""


def dictionary(training: Sequence[Example], articles: Sequence[Example]) -> RankedKeys:
    """Rank the training tags in an article by P(tag | it stands in an article) · log(1 + its count in this one)."""
    known = {key for e in training for key in map(match_key, e.tags or ()) if key}
    present, tagged = Counter[str](), Counter[str]()
    for example in training:
        gold = set(map(match_key, example.tags or ()))
        found = {key for key in ngrams(stems(example), MAX_TAG_WORDS) if key in known}
        present.update(found)
        tagged.update(found & gold)

    def rank(example: Example) -> tuple[str, ...]:
        counts = Counter(key for key in ngrams(stems(example), MAX_TAG_WORDS) if tagged[key])
        return best({key: tagged[key] / present[key] * math.log1p(count) for key, count in counts.items()})

    return list(map(rank, articles))


def tfidf(training: Sequence[Example], articles: Sequence[Example]) -> RankedKeys:
    """Rank phrases by TF-IDF."""
    common = common_words(training)
    if not any(True for e in articles for _ in phrases(stems(e), common)):
        return [()] * len(articles)
    model = TfidfVectorizer(analyzer=lambda e: list(phrases(stems(e), common)), sublinear_tf=False)
    model.fit([*training, *articles])
    names = model.get_feature_names_out()
    table = model.transform(articles)
    ranked: RankedKeys = []
    for i in range(len(articles)):
        row = table[i]
        ranked.append(best({names[j]: float(v) for j, v in zip(row.indices, row.data, strict=True)}))
    return ranked


def yake(training: Sequence[Example], articles: Sequence[Example]) -> RankedKeys:
    """Rank phrases by YAKE (Campos et al., Information Sciences 2020), with the authors' package."""
    from yake import KeywordExtractor

    extractor = KeywordExtractor(lan="ar", n=MAX_PHRASE_WORDS, top=2 * MAX_RANKED)
    found = ([match_key(phrase) for phrase, _ in extractor.extract_keywords(e.text)] for e in articles)
    return [tuple(dict.fromkeys(filter(None, keys)))[:MAX_RANKED] for keys in found]


def textrank(training: Sequence[Example], articles: Sequence[Example]) -> RankedKeys:
    """Rank phrases by TextRank (Mihalcea and Tarau, EMNLP 2004).

    Neighbours among the third of the words with the highest PageRank are joined to phrases.
    """
    common = common_words(training)

    def rank(example: Example) -> tuple[str, ...]:
        found = stems(example)
        weights = page_rank(found, common)
        kept = set(sorted(weights, key=lambda word: (-weights[word], word))[: -(-len(weights) // 3)])
        runs = (list(run) for is_kept, run in groupby(found, kept.__contains__) if is_kept)
        return best({" ".join(run): sum(weights[word] for word in run) for run in runs if len(run) <= MAX_PHRASE_WORDS})

    return list(map(rank, articles))


def nearest_phrases(tagger: Tagger) -> TagBaseline:
    """Return a baseline that ranks phrases by the similarity of their embeddings to that of the article.

    The embeddings are means over the hidden states of the model's own encoder, ranked as KeyBERT does (Grootendorst
    2020) by maximal marginal relevance. Needs torch.
    """
    import torch

    from wusum.model.network.module import load_network, mean_pool

    network = load_network(tagger.artifact.folder)
    tokenizer = Tokenizer.from_file(str(tagger.artifact.folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(tagger.encoder.window)

    @torch.inference_mode()
    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors [texts, dimensions]."""
        rows = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        vectors = np.zeros((len(rows), network.encoder.config.hidden_size), np.float32)
        start = 0
        while start < len(order):
            longest = len(rows[order[min(start + 2048, len(order)) - 1]])
            batch = order[start : start + max(8192 // longest, 1)]
            start += len(batch)
            ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(rows[i]) for i in batch], batch_first=True)
            mask = (torch.arange(ids.shape[1]) < torch.tensor([[len(rows[i])] for i in batch])).long()
            hidden = network.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
            vectors[batch] = torch.nn.functional.normalize(mean_pool(hidden, mask), dim=-1).numpy()
        return vectors

    def rank_all(training: Sequence[Example], articles: Sequence[Example]) -> RankedKeys:
        common = common_words(training)
        ranked: RankedKeys = []
        for chunk in (articles[start : start + 32] for start in range(0, len(articles), 32)):
            found = [list(islice(dict.fromkeys(phrases(stems(e), common)), MAX_EMBEDDED)) for e in chunk]
            distinct = list(dict.fromkeys(phrase for candidates in found for phrase in candidates))
            places = {phrase: i for i, phrase in enumerate(distinct, start=len(chunk))}
            vectors = embed([*(e.text for e in chunk), *distinct])
            for text, candidates in zip(vectors, found, strict=False):
                chosen = vectors[[places[phrase] for phrase in candidates]]
                order = maximal_marginal_relevance(chosen @ text, chosen @ chosen.T) if candidates else []
                ranked.append(tuple(candidates[i] for i in order))
        return ranked

    return rank_all


def maximal_marginal_relevance(
    relevance: NDArray[np.float32], similarity: NDArray[np.float32], share: float = 0.7
) -> list[int]:
    """Return the indices of the first MAX_RANKED candidates, relevant and unlike those before them.

    `relevance` is [candidates], `similarity` [candidates, candidates], `share` the weight of relevance against that of
    novelty (Carbonell and Goldstein, SIGIR 1998).
    """
    chosen = [int(relevance.argmax())]
    while len(chosen) < min(MAX_RANKED, len(relevance)):
        value = share * relevance - (1 - share) * similarity[:, chosen].max(1)
        value[chosen] = -np.inf
        chosen.append(int(value.argmax()))
    return chosen


UNSUPERVISED: dict[str, TagBaseline] = {"TF-IDF": tfidf, "YAKE": yake, "TextRank": textrank}
"""The baselines that need no tagged training articles."""


def stems(example: Example) -> list[str]:
    """Return the words of an article in the form that match keys have."""
    return [strip_clitics(word.text) for word in words(example.text)]


def ngrams(found: Sequence[str], longest: int) -> Iterator[str]:
    """Yield all runs of at most `longest` words."""
    for start in range(len(found)):
        for end in range(start + 1, min(start + longest, len(found)) + 1):
            yield " ".join(found[start:end])


def phrases(found: Sequence[str], common: set[str]) -> Iterator[str]:
    """Yield all runs of words that can be phrases: without a common word, a short one or a number at either end."""
    good = [len(word) > 2 and not word.isdigit() and word not in common for word in found]
    for start in range(len(found)):
        for end in range(start + 1, min(start + MAX_PHRASE_WORDS, len(found)) + 1):
            if good[start] and good[end - 1]:
                yield " ".join(found[start:end])


def common_words(training: Iterable[Example]) -> set[str]:
    """Return the words of more than COMMON_SHARE of the articles."""
    counts, total = Counter[str](), 0
    for example in training:
        counts.update(set(stems(example)))
        total += 1
    return {word for word, count in counts.items() if count > COMMON_SHARE * total}


def page_rank(found: Sequence[str], common: set[str], damping: float = 0.85, rounds: int = 30) -> dict[str, float]:
    """Return the PageRank of each word that is not common, in the graph of words that are neighbours in the text."""
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
    """Return the MAX_RANKED phrases of the highest scores, equal ones in alphabetical order."""
    return tuple(sorted(scores, key=lambda phrase: (-scores[phrase], phrase))[:MAX_RANKED])
