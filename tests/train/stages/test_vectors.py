"""Word vectors of the pieces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from tests.support import TINY_CORPORA
from wusum.train.data.corpora import examples
from wusum.train.data.tokens import load_tokenizer
from wusum.train.stages import vectors
from wusum.train.stages.vectors import BOUNDARY, VectorsConfig, cooccurrences, ppmi, token_chunks


def test_pairs_within_the_window_are_counted_by_their_distance_and_not_across_articles() -> None:
    tokens = np.array([0, 1, 2, BOUNDARY, BOUNDARY, 1, 2], np.int32)
    assert cooccurrences(tokens, 3, 2).toarray().tolist() == [[0, 1, 0.5], [1, 0, 2], [0.5, 2, 0]]


def test_ppmi_is_the_positive_part_of_the_mutual_information() -> None:
    counts = np.array([[0, 4, 1], [4, 0, 1], [1, 1, 6]], np.float32)
    contexts = counts.sum(0) ** 0.75
    with np.errstate(divide="ignore"):
        expected = np.log(counts / (counts.sum(1, keepdims=True) * contexts / contexts.sum()))
    np.testing.assert_allclose(ppmi(csr_matrix(counts)).toarray(), np.maximum(expected, 0), rtol=1e-5)


def test_chunks_hold_every_article_in_order(
    corpora: Path, tokenizer_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = VectorsConfig(corpora, tokenizer_folder, Path("-"), TINY_CORPORA, window=2)
    tokenizer = load_tokenizer(tokenizer_folder)
    (whole,) = token_chunks(config, tokenizer)
    texts = [example.text for corpus in TINY_CORPORA for example in examples(corpora, corpus)]
    encoded = (tokenizer.encode(text, add_special_tokens=False).ids for text in texts)
    assert whole.tolist() == [token for ids in encoded for token in [*ids, BOUNDARY, BOUNDARY]]
    assert tokenizer.token_to_id("[UNK]") not in whole  # as in the words of the other splits
    monkeypatch.setattr(vectors, "CHUNK_TOKENS", 10)
    assert np.concatenate(list(token_chunks(config, tokenizer))).tolist() == whole.tolist()


def test_vectors_of_pieces_that_stand_together_are_alike(corpora: Path, tokenizer_folder: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        vectors.run(VectorsConfig(corpora, tokenizer_folder, tmp_path / name, TINY_CORPORA, dimensions=16))
    found = np.load(tmp_path / "one")
    np.testing.assert_array_equal(np.load(tmp_path / "two"), found)
    tokenizer = load_tokenizer(tokenizer_folder)
    assert found.shape == (tokenizer.get_vocab_size(), 16)
    assert found.std() == pytest.approx(1, abs=1e-3)

    def cosine(one: str, other: str) -> float:
        rows = [found[tokenizer.token_to_id(word)] for word in (one, other)]
        return float(rows[0] @ rows[1] / np.linalg.norm(rows[0]) / np.linalg.norm(rows[1]))

    assert cosine("المباراة", "الفريق") > cosine("المباراة", "البنك") + 0.2
