"""The linear model of tags: weights of words and pairs of words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from tests.support import network_output, rank, tag_model, vocabulary_of
from wusum.model.article import Article
from wusum.model.errors import ModelError
from wusum.model.network.outputs import Phrase
from wusum.model.tagging.candidates import Document
from wusum.model.tagging.controlled import ControlledRanker
from wusum.model.tagging.ranker import TagModel
from wusum.model.tagging.selection import Thresholds
from wusum.model.tagging.sources.linear import MAX_WORDS, LinearTagModel, LinearTags, word_features
from wusum.model.tagging.terms import Term
from wusum.model.tagging.vocabulary import Vocabulary
from wusum.model.text.lexicon import plain_lexicon
from wusum.train.data.corpora import Example
from wusum.train.tagging import linear as stage
from wusum.train.tagging.linear import article_features, fit_linear

FILE = "linear.safetensors"
SPORT, TRADE, ONCE = range(3)
TEXTS = ("كرة القدم", "تجارة", "نادر")


def article(n: int) -> tuple[list[str], list[int]]:
    """Every sixth is about sport, the next about trade, the others about nothing; each has words of its own."""
    own = [f"كلمه{n}", f"اخري{n % 7}"]
    kinds: list[tuple[list[str], list[int]]] = [
        (["هدف", "مرمي", "حكم"], [SPORT]),
        (["سعر", "صرف", "حكم"], [TRADE]),
        (["صرف", "سعر", "طقس"], []),
    ]
    words, tags = kinds[n % 6] if n % 6 < len(kinds) else (["حكم"], [])
    return [*words, *own], [*tags, ONCE] if n == 6 else tags


def features(words: list[str]) -> NDArray[np.uint32]:
    return word_features([plain_lexicon()[word] for word in words])


@pytest.fixture(scope="module")
def linear() -> LinearTagModel:
    made = [article(n) for n in range(120)]
    return fit_linear([features(words) for words, _ in made], [tags for _, tags in made], len(TEXTS))


def scores(linear: LinearTagModel, *words: str) -> NDArray[np.float64]:
    return linear.scores(features([*words]))


def test_words_and_neighbours_are_features() -> None:
    assert len(features(["ا", "ب", "ج"])) == 5
    assert len(features(["ا"])) == 1
    assert len(features([])) == 0
    assert set(features(["ا", "ب"])) <= set(features(["ا", "ب", "ج"]))
    assert len({*features(["ا", "ب"]), *features(["ب", "ا"])}) == 4  # a pair has an order
    long = [f"و{n}" for n in range(MAX_WORDS + 50)]
    np.testing.assert_array_equal(features(long), features(long[:MAX_WORDS]))


def test_title_and_body_give_the_features_of_an_article() -> None:
    row = Example("almayadeen", "1", "وزير التجارة", "والأسعار ترتفع", None, None, "train")
    assert article_features(row).tolist() == features(["زير", "تجاره", "اسعار", "ترتفع"]).tolist()


def test_words_raise_the_score_of_the_tags_that_they_go_with(linear: LinearTagModel) -> None:
    sport, trade = scores(linear, "هدف", "مرمي"), scores(linear, "سعر", "صرف")
    assert sport[SPORT] > 0.5 > 0.3 > sport[TRADE]
    assert trade[TRADE] > 0.5 > 0.3 > trade[SPORT]


def test_a_pair_counts_beside_its_words(linear: LinearTagModel) -> None:
    assert scores(linear, "سعر", "صرف")[TRADE] > scores(linear, "صرف", "سعر")[TRADE] + 0.2


def test_a_tag_of_one_article_is_not_learned(linear: LinearTagModel) -> None:
    assert scores(linear, *article(6)[0])[ONCE] == 0.0


def test_words_of_few_or_most_articles_have_no_weight(linear: LinearTagModel) -> None:
    assert not scores(linear, "كلمه6").any()  # of one
    assert not scores(linear, "حكم").any()  # of five in six
    assert not scores(linear).any()
    assert not scores(linear, "جديد").any()


def test_it_is_the_ridge_regression_of_the_textbook(linear: LinearTagModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "MIN_WEIGHT", 0.0)
    made = [article(n) for n in range(120)]
    whole = fit_linear([features(words) for words, _ in made], [tags for _, tags in made], len(TEXTS))
    table = np.zeros((120, len(whole.features)))
    for n, (words, _) in enumerate(made):
        places, values = whole.values(features(words))
        table[n, places] = values
        assert np.square(values).sum() == pytest.approx(1.0)
    wanted = np.array([[tag in tags for tag in (SPORT, TRADE)] for _, tags in made], float)
    weights = np.linalg.solve(table.T @ table + stage.PENALTY * np.eye(table.shape[1]), table.T @ wanted)
    for n, (words, _) in enumerate(made):
        np.testing.assert_allclose(scores(whole, *words)[:2], table[n] @ weights, atol=2e-3)  # in half precision
        np.testing.assert_allclose(scores(linear, *words)[:2], table[n] @ weights, atol=2 * 0.05)  # small weights off


def test_a_saved_model_is_the_model(linear: LinearTagModel, tmp_path: Path) -> None:
    linear.save(tmp_path / FILE)
    again = LinearTagModel.load(tmp_path / FILE, len(TEXTS))
    np.testing.assert_array_equal(scores(again, "هدف", "سعر", "صرف"), scores(linear, "هدف", "سعر", "صرف"))
    LinearTagModel.none().save(tmp_path / FILE)
    assert LinearTagModel.load(tmp_path / FILE, 3).scores(features(["هدف", "مرمي"])).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("damage", ["features", "idf", "starts", "tags", "weights"])
def test_a_damaged_model_is_refused(linear: LinearTagModel, tmp_path: Path, damage: str) -> None:
    linear.save(tmp_path / FILE)
    parts = load_file(tmp_path / FILE)
    save_file({**parts, damage: parts[damage][:-1]}, tmp_path / FILE)
    with pytest.raises(ModelError, match=r"linear\.safetensors: damaged"):
        LinearTagModel.load(tmp_path / FILE, len(TEXTS))
    save_file({name: part for name, part in parts.items() if name != damage}, tmp_path / FILE)
    with pytest.raises(ModelError, match=r"linear\.safetensors: damaged"):
        LinearTagModel.load(tmp_path / FILE, len(TEXTS))


@pytest.mark.parametrize(
    "changed",
    [
        {"starts": lambda starts: starts.astype(np.float32)},
        {"starts": lambda starts: starts[::-1].copy()},
        {"tags": lambda tags: tags.astype(np.int32) - 70_000},
        {"weights": lambda weights: np.full_like(weights, np.nan)},
        {"idf": lambda idf: idf[:, None]},
        {"features": lambda features: features[::-1].copy()},
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(
    linear: LinearTagModel, tmp_path: Path, changed: dict[str, Callable[[NDArray[Any]], NDArray[Any]]]
) -> None:
    linear.save(tmp_path / FILE)
    parts = load_file(tmp_path / FILE)
    save_file(parts | {name: change(parts[name]) for name, change in changed.items()}, tmp_path / FILE)
    with pytest.raises(ModelError, match=r"linear\.safetensors: damaged"):
        LinearTagModel.load(tmp_path / FILE, len(TEXTS))


def test_a_model_of_another_vocabulary_is_refused(linear: LinearTagModel, tmp_path: Path) -> None:
    linear.save(tmp_path / FILE)
    with pytest.raises(ModelError, match=r"linear\.safetensors"):
        LinearTagModel.load(tmp_path / FILE, TRADE)


def test_too_many_tags_are_refused() -> None:
    with pytest.raises(ValueError, match="70000 tags to learn; there is room for 65535"):
        fit_linear([features(["ا"])], [[0]], 70_000)


WEIGHTS = {"linear": 10.0, "bias": -2.0}


def model(linear: LinearTagModel) -> TagModel:
    known = vocabulary_of(*TEXTS, labelled=False)
    return tag_model(known, WEIGHTS, linear=linear, thresholds=Thresholds(0.5, 0.5))


def test_likely_tags_are_candidates(linear: LinearTagModel) -> None:
    ranker = model(linear).ranker()
    body = "هدف مرمى"
    assert [tag.text for tag in rank(ranker, body, network_output())] == ["كرة القدم"]
    document = ranker.document(Article("", body), network_output())
    candidates = ranker.candidates(document)
    assert [c.entry.text for c in candidates] == ["كرة القدم"]
    assert ranker.table(document, candidates, ["linear"]).tolist() == [[scores(linear, "هدف", "مرمي")[SPORT]]]


SPORTS = Document(plain_lexicon().tokenise(""), plain_lexicon().tokenise("هدف مرمى"), network_output())


def test_only_subjects_are_candidates_without_standing_there(linear: LinearTagModel) -> None:
    known = model(linear)
    entries = [replace(entry, subject=False) for entry in known.vocabulary.entries]
    ranker = replace(known, vocabulary=Vocabulary(entries)).ranker()
    assert rank(ranker, "هدف مرمى", network_output()) == ()
    assert list(LinearTags(linear, known.vocabulary, Vocabulary(entries)).propose(SPORTS)) == []
    one_subject = Vocabulary([*entries[1:], known.vocabulary.entries[SPORT]])
    (proposed,) = LinearTags(linear, known.vocabulary, one_subject).propose(SPORTS)
    assert proposed.entry.text == "كرة القدم"
    assert [tag.text for tag in rank(ranker, "هدف مرمى كرة القدم", network_output())] == ["كرة القدم"]


def test_a_tag_that_the_model_does_not_know_has_score_0(linear: LinearTagModel) -> None:
    new = Phrase(Counter(["زعفران"]), [9.0, 9.0])
    ranker = model(linear).ranker()
    document = ranker.document(Article("", "هدف مرمى زعفران"), network_output(زعفران=new))
    candidates = ranker.candidates(document)
    found = dict(zip(candidates.keys, ranker.table(document, candidates, ["linear"])[:, 0].tolist(), strict=True))
    assert found["زعفران"] == 0.0 < found["كره قدم"]


def test_it_reaches_a_controlled_vocabulary(linear: LinearTagModel) -> None:
    controlled = ControlledRanker(model(linear), [Term("الكرة", ("كرة القدم",)), Term("طقس")])
    assert [tag.text for tag in rank(controlled, "هدف مرمى", network_output())] == ["الكرة"]
