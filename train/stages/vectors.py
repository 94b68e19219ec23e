"""Word vectors of the tokenizer's pieces, to start the encoder's embeddings from.

Positive pointwise mutual information of pieces within a window, factorised by a truncated SVD, with the settings of
Levy, Goldberg and Dagan, "Improving distributional similarity with lessons learned from word embeddings" (TACL 2015):
context distribution smoothing 0.75 and square-rooted singular values. Deterministic, minutes on two cores.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, diags
from sklearn.utils.extmath import randomized_svd
from tokenizers import Tokenizer

from wusum.train.data.corpora import examples

log = logging.getLogger(__name__)
CHUNK = 4_000_000
"""Tokens counted at a time; bounds memory at about 2 GB."""


@dataclass(frozen=True)
class VectorsConfig:
    """Settings of `wusum train vectors`."""

    data: Path
    """Folder of the corpora."""
    tokenizer: Path
    """Folder with `tokenizer.json`."""
    output: Path
    """File that gets the vectors, float32 [vocabulary, dimensions]."""
    corpora: list[str]
    """Corpora whose training articles are read."""
    dimensions: int = 256
    window: int = 5
    """Pieces this far apart count as seen together, nearer ones more (weight 1 / distance)."""
    min_count: int = 3
    """Pairs seen less often, in weight, are noise and are dropped."""
    seed: int = 13


def token_stream(config: VectorsConfig, tokenizer: Tokenizer) -> Iterator[np.ndarray]:
    """The pieces of all training articles, as int32 arrays of about `CHUNK` tokens; -1s keep articles apart."""
    apart = [-1] * config.window
    chunk: list[int] = []
    batch: list[str] = []
    for corpus in config.corpora:
        for example in examples(config.data, corpus):
            batch.append(example.text)
            if len(batch) == 512:
                for encoding in tokenizer.encode_batch_fast(batch, add_special_tokens=False):
                    chunk.extend(encoding.ids)
                    chunk.extend(apart)
                batch.clear()
            if len(chunk) > CHUNK:
                yield np.asarray(chunk, np.int32)
                chunk.clear()
    for encoding in tokenizer.encode_batch_fast(batch, add_special_tokens=False):
        chunk.extend(encoding.ids)
        chunk.extend(apart)
    yield np.asarray(chunk, np.int32)


def cooccurrences(tokens: np.ndarray, size: int, window: int) -> csr_matrix:
    """Symmetric weighted counts [size, size] of the pieces that stand within `window` of each other."""
    counts = csr_matrix((size, size), dtype=np.float32)
    for distance in range(1, window + 1):
        left, right = tokens[:-distance], tokens[distance:]
        inside = (left >= 0) & (right >= 0)
        weights = np.full(int(inside.sum()), 1 / distance, np.float32)
        counts += csr_matrix((weights, (left[inside], right[inside])), shape=(size, size))
    return counts + counts.T


def ppmi(counts: csr_matrix, smoothing: float = 0.75) -> csr_matrix:
    """Positive pointwise mutual information of a count matrix, contexts smoothed by a power."""
    rows = np.asarray(counts.sum(axis=1)).ravel()
    contexts = np.asarray(counts.sum(axis=0)).ravel() ** smoothing
    result = counts.tocoo()
    expected = rows[result.row] * contexts[result.col] / contexts.sum()
    result.data = np.maximum(np.log(result.data / expected), 0).astype(np.float32)
    matrix = result.tocsr()
    matrix.eliminate_zeros()
    return matrix


def run(config: VectorsConfig) -> None:
    """Count, factorise and write the vectors, each row scaled to a standard deviation of one on average."""
    tokenizer = Tokenizer.from_file(str(config.tokenizer / "tokenizer.json"))
    size = tokenizer.get_vocab_size()
    counts = csr_matrix((size, size), dtype=np.float32)
    total = 0
    for tokens in token_stream(config, tokenizer):
        counts += cooccurrences(tokens, size, config.window)
        total += len(tokens)
        log.info("%.1f M tokens, %.1f M pairs", total / 1e6, counts.nnz / 1e6)
    counts.data[counts.data < config.min_count] = 0
    counts.eliminate_zeros()
    matrix = ppmi(counts)
    log.info("factorising %.1f M pairs", matrix.nnz / 1e6)
    left, values, _ = randomized_svd(matrix, config.dimensions, n_iter=4, random_state=config.seed)
    vectors = (left @ diags(np.sqrt(values)).toarray()).astype(np.float32)
    vectors /= vectors.std()
    config.output.parent.mkdir(parents=True, exist_ok=True)
    np.save(config.output, vectors)
