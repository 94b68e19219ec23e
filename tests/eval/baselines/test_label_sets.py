"""The linear baseline that learns from sets of topics: what it reads, and what it makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import approx_fprime
from scipy.sparse import csr_matrix
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from tests.support import POISON, write_corpus
from wusum.eval.baselines import label_sets
from wusum.eval.baselines.label_sets import (
    MAX_CHARS,
    LabelSetModel,
    decoder,
    fit_decoder,
    trained_model,
    training_articles,
)
from wusum.eval.config import EvalConfig
from wusum.model.errors import CorpusError
from wusum.train.data.corpora import Example, LabelMap

SPORT, ECONOMY, HEALTH = "مباراة كرة هدف", "بورصة سهم بنك", "طبيب علاج مستشفى"


def fit(*rows: tuple[str, list[float]], times: int = 20, strength: float = 30.0) -> LabelSetModel:
    texts, targets = zip(*(rows * times), strict=True)
    return LabelSetModel.fit(texts, np.array(targets), strength=strength)


# ---- the model


def test_a_topic_that_is_only_labelled_together_with_others_is_told_from_them() -> None:
    of_their_own = (ECONOMY, [0, 1, 0]), (HEALTH, [0, 0, 1])
    model = fit((SPORT, [1, 1, 0]), (SPORT, [1, 0, 1]), *of_their_own)
    np.testing.assert_array_less(0.9, model.probabilities([SPORT, ECONOMY, HEALTH]).diagonal())


def test_an_article_of_several_topics_gets_the_share_of_each() -> None:
    model = fit((SPORT, [0.6, 0.4, 0]), (ECONOMY, [0, 1, 0]), (HEALTH, [0, 0, 1]), strength=1000.0)
    np.testing.assert_allclose(model.probabilities([SPORT])[0], [0.6, 0.4, 0], atol=0.03)


@pytest.mark.parametrize("kind", ["sets", "shares"])
def test_the_loss_of_sets_is_that_of_their_summed_probability_and_that_of_shares_cross_entropy(kind: str) -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(40, 5)).astype(np.float32)
    targets = (generator.random((40, 5)) < 0.4) | (np.arange(5) == 2)
    if kind == "shares":
        targets = generator.dirichlet(np.ones(5), 40)
    value, gradient = label_sets._topic_loss(logits, targets.astype(np.float32))
    weights, expected = torch.tensor(logits, requires_grad=True), torch.tensor(targets.astype(np.float32))
    within = torch.where(expected > 0, weights.softmax(-1), 0).sum(-1)
    theirs = -within.log().mean() if kind == "sets" else torch.nn.functional.cross_entropy(weights, expected)
    (theirs * len(logits)).backward()  # type: ignore[no-untyped-call]
    assert value == pytest.approx(theirs.item() * len(logits), rel=1e-5)
    np.testing.assert_allclose(gradient, weights.grad, atol=1e-5)


def test_the_gradient_is_that_of_the_penalised_loss() -> None:
    generator = np.random.default_rng(3)
    table = csr_matrix(generator.random((7, 4)).astype(np.float32))
    targets = np.array([[1, 1, 0]] * 3 + [[0.5, 0, 0.5]] * 4, np.float32)
    arguments = table, table.T.tocsr(), targets, 0.7
    weights = generator.normal(size=15)
    _, gradient = label_sets._penalised_loss(weights, *arguments)
    numeric = approx_fprime(weights, lambda w: label_sets._penalised_loss(w, *arguments)[0], 1e-3)
    np.testing.assert_allclose(gradient, numeric, atol=2e-3)
    heavier = weights + np.repeat([1.0, 0.0], [12, 3])
    light, heavy = (
        label_sets._penalised_loss(w, *arguments[:3], strength)[0] for w, strength in ((heavier, 1e9), (heavier, 0.5))
    )
    assert heavy - light == pytest.approx((heavier[:12] ** 2).sum() / 7, rel=1e-3)


def test_log_odds_are_those_of_the_probabilities_and_finite() -> None:
    model = fit((SPORT, [1, 0, 0]), (ECONOMY, [0, 1, 0]), (HEALTH, [0, 0, 1]))
    texts = [SPORT, f"{SPORT} {ECONOMY}", "x"]
    found = model.log_odds(texts)
    assert found.dtype == np.float32
    np.testing.assert_allclose(expit(found), model.probabilities(texts), atol=1e-6)
    certain = replace(model, weights=model.weights * 1000)
    assert np.isfinite(certain.log_odds(texts)).all()
    assert certain.log_odds([SPORT]).argmax() == 0


def test_iterations_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = (SPORT, [1, 0]), (ECONOMY, [0, 1])
    fitted = fit(*rows)
    monkeypatch.setattr(label_sets, "ITERATIONS", 1)
    assert np.abs(fit(*rows).weights - fitted.weights).max() > 0.1


@pytest.mark.parametrize("strength", [0.3, 3.0])
def test_with_one_topic_for_each_text_it_is_logistic_regression(strength: float) -> None:
    generator = np.random.default_rng(1)
    words = f"{SPORT} {ECONOMY} {HEALTH}".split()
    texts = [" ".join(generator.choice(words, 4)) for _ in range(90)]
    classes = [words.index(text.split()[0]) // 3 for text in texts]
    model = LabelSetModel.fit(texts, np.eye(3)[classes], strength=strength)
    theirs = LogisticRegression(C=strength, tol=1e-8).fit(model.features.transform(texts), classes)
    found = model.probabilities(texts)
    np.testing.assert_allclose(found, theirs.predict_proba(model.features.transform(texts)), atol=0.01)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    again = LabelSetModel.fit(texts, np.eye(3)[classes], strength=strength)
    np.testing.assert_array_equal(again.weights, model.weights)


def test_words_and_pairs_of_words_count_and_only_the_beginning_of_a_text() -> None:
    model = fit((SPORT, [1, 0]), (ECONOMY, [0, 1]))
    assert set(model.features.get_feature_names_out()) == {
        "مباراه", "كره", "هدف", "مباراه كره", "كره هدف", "بورصه", "سهم", "بنك", "بورصه سهم", "سهم بنك",
    }  # fmt: skip
    once, often = (model.features.transform([text]).toarray()[0] for text in ("كرة", "كرة كرة كرة هدف"))
    assert once.max() == 1
    assert often.max() / np.sort(often)[-2] == pytest.approx(1 + np.log(3))
    nothing, late, early = model.logits(["x", "x" * MAX_CHARS + SPORT, SPORT])
    np.testing.assert_array_equal(late, nothing)
    assert early[0] > nothing[0]
    with_end = fit((SPORT + " " * MAX_CHARS + "نهاية", [1, 0]), (ECONOMY, [0, 1]))
    assert "نهايه" not in with_end.features.get_feature_names_out()


def test_the_most_frequent_words_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_sets, "MAX_FEATURES", 1)
    model = fit((f"كرة {SPORT}", [1, 0]), (f"كرة {ECONOMY}", [0, 1]))
    assert list(model.features.get_feature_names_out()) == ["كره"]
    assert model.weights.shape == (2, 2)


# ---- its articles

LABELS = {"sport": ["sport"], "unclear": ["economy", "health"]}

Row = dict[str, Any]


def article(id_: str, split: str = "train", **changes: Any) -> Row:
    made = {"id": id_, "title": None, "text": f"نص {id_}", "label": "sport", "tags": None, "date": "", "split": split}
    return made | changes


@pytest.fixture
def configured(tmp_path: Path) -> Callable[..., EvalConfig]:
    """A function that writes corpora, a label map and settings of a training, and returns the evaluation's settings."""

    def write(corpora: dict[str, list[Row]], *, quick: bool = False, **settings: Any) -> EvalConfig:
        for name, rows in corpora.items():
            write_corpus(tmp_path / f"{name}.jsonl.xz", rows)
        topics = {
            "topics": {k: {"code": k, "name_ar": k, "name_en": k} for k in ("sport", "economy", "health", "weather")},
            "corpora": dict.fromkeys(corpora, LABELS),
        }
        (tmp_path / "topics.yaml").write_text(json.dumps(topics), encoding="utf-8")
        (tmp_path / "rules.yaml").write_text('{"edited": ["tagged"]}', encoding="utf-8")
        training = {
            "data": "elsewhere", "output": "-", "topics": "-", "tag_rules": str(tmp_path / "rules.yaml"),
            "corpora": dict.fromkeys(corpora, 3.0),
        }  # fmt: skip
        (tmp_path / "finetune.yaml").write_text(json.dumps(training | settings), encoding="utf-8")
        return EvalConfig(
            tmp_path, tmp_path / "topics.yaml", finetune=tmp_path / "finetune.yaml", quick=quick, quick_training=2
        )

    return write


def test_each_labelled_training_article_is_read_once_with_the_set_that_its_label_means(
    configured: Callable[..., EvalConfig],
) -> None:
    rows = [article("1"), article("2", label="unclear"), article("3", label="other"), article("4", label=None)]
    others = [article(f"{split}", split) for split in ("validation", "test")]
    texts, targets = training_articles(configured({"one": [*rows, *others], "two": [article("5", title="عنوان")]}))
    assert texts == ["نص 1", "نص 2", "عنوان\nنص 5"]
    assert targets.tolist() == [[1, 0, 0, 0], [0, 1, 1, 0], [1, 0, 0, 0]]


def test_cues_label_and_narrow_as_in_the_training(configured: Callable[..., EvalConfig], tmp_path: Path) -> None:
    cues = {"label": {"weather": ["طقس"]}, "narrow": {"health": ["وباء"]}}
    (tmp_path / "cues.yaml").write_text(json.dumps(cues), encoding="utf-8")
    rows = [
        article("1", label=None, title="الطقس غدا"),
        article("2", label="unclear", title="وباء جديد"),
        article("3", label="sport", title="وباء جديد"),
    ]
    _, targets = training_articles(configured({"one": rows}, cues=str(tmp_path / "cues.yaml")))
    assert targets.tolist() == [[0, 0, 0, 1], [0, 0, 1, 0], [1, 0, 0, 0]]


def test_articles_that_the_training_leaves_out_are_left_out(configured: Callable[..., EvalConfig]) -> None:
    corpora = {name: [article(name, tags=["وسم"], date="2024-05-01")] for name in ("one", "tagged", "third")}
    everything = configured(corpora)
    assert training_articles(everything)[0] == ["نص one", "نص tagged", "نص third"]
    assert training_articles(everything, ["tagged"])[0] == ["نص one", "نص third"]
    assert training_articles(replace(everything, training=["--outlet_names", "[نص]"]))[0][0].strip() == "one"
    assert training_articles(configured(corpora, tag_holdout=1.0))[0] == ["نص one", "نص third"]
    assert training_articles(configured(corpora, leave_out=["one"]), ["third"])[0] == ["نص tagged"]
    with pytest.raises(CorpusError, match=r"no training article of .*finetune\.yaml has a topic"):
        training_articles(configured(corpora, before="2024-05"))


def test_annotated_articles_have_the_shares_of_their_topics(configured: Callable[..., EvalConfig]) -> None:
    rows = [
        article("1", topics=["health", "sport"]),
        article("2", topics=["economy"]),
        article("3", "test", topics=["sport"]),
    ]
    texts, targets = training_articles(configured({"annotated": rows}))
    assert texts == ["نص 1", "نص 2"]
    np.testing.assert_allclose(targets, [[0.5, 0, 0.5, 0], [0, 1, 0, 0]])


def test_a_quick_run_takes_a_sample(configured: Callable[..., EvalConfig]) -> None:
    rows = [article(str(i), label=("sport", "unclear")[i % 2]) for i in range(20)]
    config = configured({"one": rows}, quick=True)
    texts, targets = training_articles(config)
    assert len(texts) == 2
    assert [row.sum() for row in targets] == [1 + int(text.split()[1]) % 2 for text in texts]
    assert training_articles(config)[0] == texts


def test_no_word_of_another_split_is_learned_and_the_model_is_kept(
    configured: Callable[..., EvalConfig], corpora: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(configured({"plain": [], "almayadeen": []}), data=corpora, topics=corpora / "topics.yaml")
    model = trained_model(config)
    assert len(training_articles(config)[0]) == 60
    assert not set(POISON.values()) & set(model.features.get_feature_names_out())
    assert trained_model(config) is model
    with pytest.raises(CorpusError, match="no training article"):
        trained_model(config, ["plain"])


# ---- its topics

KEYS = ("sport", "economy", "health")


def label_map(*given: bool) -> LabelMap:
    return LabelMap(KEYS, ("c0", "c1", "c2"), KEYS, KEYS, given, {})


def test_a_decoder_gives_the_topics_above_their_thresholds_by_key() -> None:
    log_odds = logit(np.array([0.5, 0.3, 0.2], np.float32))
    for least, own, given, expected in [
        (0.25, {}, (True,) * 3, ["sport", "economy"]),
        (0.25, {2: 0.15}, (True,) * 3, ["sport", "economy", "health"]),
        (0.15, {1: 0.4}, (True,) * 3, ["sport", "health"]),
        (0.15, {}, (False, True, True), ["economy", "health"]),
    ]:
        made = decoder(label_map(*given), least, own)
        assert [topic.code for topic in made.decode(log_odds, 3, None)] == expected


class Certain:
    """Stands in for a model: sport 0.6, economy 0.3, health 0.1 for every article."""

    def probabilities(self, texts: list[str]) -> np.ndarray[Any, Any]:
        assert texts == ["عنوان\nنص"] * 4
        return np.array([[0.6, 0.3, 0.1]] * 4)


def test_topics_that_are_never_given_do_not_move_the_thresholds_of_others() -> None:
    class Model:
        def probabilities(self, texts: list[str]) -> np.ndarray[Any, Any]:
            return np.array([[0.2, 0.61, 0.19]] * len(texts))

    model: Any = Model()
    rows = [Example("1", "c", "", "نص", None, None)] * 4
    made = fit_decoder(model, label_map(True, False, True), rows, np.array([[True, False, False]] * 4), 9)
    assert made.thresholds.tolist() == [0.25] * 3  # sport is the best of those that are given


@pytest.mark.parametrize(("economy", "given"), [(3, True), (0, True), (3, False)])
def test_thresholds_are_fitted_on_articles_of_known_topics(economy: int, given: bool) -> None:
    model: Any = Certain()
    gold = np.array([[True, i < economy, False] for i in range(4)])
    made = fit_decoder(model, label_map(True, given, True), [Example("1", "c", "عنوان", "نص", None, None)] * 4, gold, 2)
    log_odds = logit(np.array([0.6, 0.3, 0.1], np.float32))
    expected = ["sport", "economy"] if economy and given else ["sport"]
    assert [topic.code for topic in made.decode(log_odds, 3, None)] == expected
