"""Make word vectors of the tokenizer's pieces, from which the encoder's embeddings start.

The vectors are the positive pointwise mutual information of pieces within a window, factorised by a truncated SVD, with
the settings of Levy, Goldberg and Dagan, "Improving distributional similarity with lessons learned from word
embeddings" (TACL 2015): context distribution smoothing 0.75 and square-rooted singular values. The stage is
deterministic and takes minutes on two cores.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags
from sklearn.utils.extmath import randomized_svd
from tokenizers import Tokenizer

from wusum.train.cache import write_atomically
from wusum.train.data.corpora import examples
from wusum.train.data.tokens import batched, load_tokenizer

log = logging.getLogger(__name__)

CHUNK_TOKENS = 4_000_000
"""Tokens that are counted at a time; bounds memory at about 2 GB."""

BOUNDARY = -1
"""Stands between articles, so that no pair of pieces is counted across them."""


@dataclass(frozen=True)
class VectorsConfig:
    """Settings of `wusum train vectors`."""

    data: Path
    """Folder of the corpora."""
    tokenizer: Path
    """Folder with `tokenizer.json`."""
    output: Path
    """File for the vectors, float32 [vocabulary, dimensions]."""
    corpora: list[str]
    """Corpora whose training articles are read."""
    dimensions: int = 256
    """Length of a vector: the hidden size of the encoder."""
    window: int = 5
    """Greatest distance of two pieces that are counted as a pair; the weight of a pair is 1 / distance."""
    min_count: int = 3
    """Least sum of the weights of a pair; others are dropped as noise."""
    seed: int = 13
    """Seed of the randomised SVD."""


def token_chunks(config: VectorsConfig, tokenizer: Tokenizer) -> Iterator[NDArray[np.int32]]:
    """Yield the token ids of all training articles in chunks of about CHUNK_TOKENS, BOUNDARY after each article."""
    boundary = [BOUNDARY] * config.window
    chunk: list[int] = []
    for batch in batched(e.text for corpus in config.corpora for e in examples(config.data, corpus)):
        for encoding in tokenizer.encode_batch_fast(batch, add_special_tokens=False):
            chunk += encoding.ids
            chunk += boundary
        if len(chunk) > CHUNK_TOKENS:
            yield np.array(chunk, np.int32)
            chunk.clear()
    yield np.array(chunk, np.int32)


def cooccurrences(tokens: NDArray[np.int32], size: int, window: int) -> csr_matrix:
    """Return symmetric weighted counts [size, size] of the pairs of pieces at most `window` apart."""
    counts = csr_matrix((size, size), dtype=np.float32)
    for distance in range(1, window + 1):
        left, right = tokens[:-distance], tokens[distance:]
        inside = (left != BOUNDARY) & (right != BOUNDARY)
        weights = np.full(int(inside.sum()), 1 / distance, np.float32)
        counts += csr_matrix((weights, (left[inside], right[inside])), shape=(size, size))
    return counts + counts.T


def ppmi(counts: csr_matrix, smoothing: float = 0.75) -> csr_matrix:
    """Return the positive pointwise mutual information of a count matrix, its contexts smoothed by a power."""
    rows = np.asarray(counts.sum(axis=1)).ravel()
    contexts = np.asarray(counts.sum(axis=0)).ravel() ** smoothing
    result = counts.tocoo()
    expected = rows[result.row] * contexts[result.col] / contexts.sum()
    result.data = np.maximum(np.log(result.data / expected), 0).astype(np.float32)
    matrix = result.tocsr()
    matrix.eliminate_zeros()
    return matrix


def run(config: VectorsConfig) -> None:
    """Count, factorise and write the vectors, scaled to a standard deviation of one over all of them."""
    tokenizer = load_tokenizer(config.tokenizer)
    size = tokenizer.get_vocab_size()
    counts = csr_matrix((size, size), dtype=np.float32)
    total = 0
    for tokens in token_chunks(config, tokenizer):
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
    write_atomically(config.output, lambda path: _save(path, vectors))


def _save(path: Path, vectors: NDArray[np.float32]) -> None:
    """Write vectors to a file of exactly this name: numpy adds a suffix to names without one."""
    with path.open("wb") as file:
        np.save(file, vectors)
