"""Fit the wide path (`wusum.model.wide`): a linear model of topics over the pieces of whole articles.

It learns from the same sets of topics as the network, by the same loss, which for a linear model has one minimum but
for the sets; L-BFGS (Liu and Nocedal, 1989) comes near it in minutes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import logsumexp

from wusum.model.pieces import count, tf_idf
from wusum.model.wide import WidePath

log = logging.getLogger(__name__)


def fit_wide(
    articles: Iterable[Sequence[int]],
    sets: Sequence[Sequence[int]],
    weights: Sequence[float],
    pieces: int,
    topics: int,
    share: float,
    decay: float,
    rounds: int,
) -> WidePath:
    """A wide path for articles of token ids, each with the topics that its label can mean, at least one, and a weight.

    `share` is what its logits are multiplied by before they are added to the network's, `decay` the weight of the
    squared weights, `rounds` how often L-BFGS goes on.
    """
    counted = list(map(count, articles))
    seen = np.bincount(np.concatenate([found for found, _ in counted]), minlength=pieces)
    idf = (np.log((1 + len(counted)) / (1 + seen)) + 1).astype(np.float32)
    table = csr_matrix(
        (
            np.concatenate([tf_idf(times, idf[found]) for found, times in counted]),
            np.concatenate([found for found, _ in counted]).astype(np.int32),
            np.cumsum([0, *(len(found) for found, _ in counted)]),
        ),
        shape=(len(counted), pieces),
    )
    del counted
    means = np.zeros((len(sets), topics), bool)
    for row, meant in zip(means, sets, strict=True):
        row[list(meant)] = True
    weight, bias = _minimise(table, means, np.asarray(weights, np.float32), decay, rounds)
    return WidePath(share * weight, share * bias, idf)


def _minimise(
    table: csr_matrix, means: NDArray[np.bool_], weights: NDArray[np.float32], decay: float, rounds: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weight [pieces, topics] and bias [topics] with about the least mean -log P(set) and decayed weights."""
    size, topics = table.shape[1], means.shape[1]
    turned = table.T.tocsr()
    weights = weights / weights.sum()

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weight, bias = (part.astype(np.float32) for part in (flat[:-topics].reshape(size, topics), flat[-topics:]))
        logits = table @ weight + bias
        inside = np.where(means, logits, -np.inf)
        whole, set_ = (logsumexp(part, axis=1, keepdims=True) for part in (logits, inside))
        pull = (weights[:, None] * (np.exp(logits - whole) - np.exp(inside - set_))).astype(np.float32)
        slope = np.concatenate([(turned @ pull + decay * weight).ravel(), pull.sum(0)])
        value = (weights * (whole - set_)[:, 0]).sum() + decay / 2 * np.square(weight).sum()
        return float(value), slope.astype(np.float64)

    found = minimize(
        loss, np.zeros((size + 1) * topics), jac=True, method="L-BFGS-B", options={"maxiter": rounds, "maxcor": 6}
    )
    log.info("wide path: loss %.4f after %d rounds", found.fun, found.nit)
    flat = found.x.astype(np.float32)
    return flat[:-topics].reshape(size, topics), flat[-topics:]
