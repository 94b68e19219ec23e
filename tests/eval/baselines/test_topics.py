"""Baselines for topics, on texts whose words tell their classes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from wusum.eval.baselines.topics import (
    BUCKETS,
    EPOCHS,
    TOPIC_BASELINES,
    _bag_input,
    _buckets,
    bag_of_embeddings,
    linear_model,
    logistic,
    majority,
)

SPORT, ECONOMY, HEALTH = "مباراة كرة هدف", "بورصة سهم بنك", "طبيب علاج مستشفى"


def test_the_majority_has_the_share_of_the_most_frequent_class_for_its_probability() -> None:
    predicted, confidence = majority(["x"] * 5, [2, 0, 2, 1, 2], ["y", "z"])
    assert predicted.tolist() == [2, 2]
    assert confidence is not None
    assert confidence.tolist() == [0.6, 0.6]


@pytest.mark.parametrize("name", ["linear", "logistic", "fastText-like"])
def test_each_baseline_tells_classes_by_their_words(name: str) -> None:
    training, classes = [SPORT, HEALTH, ECONOMY] * 60, [0, 3, 1] * 60  # there are no articles of class 2
    predicted, confidence = TOPIC_BASELINES[name](training, classes, [f"{ECONOMY} اليوم", HEALTH, SPORT])
    assert predicted.tolist() == [1, 3, 0]
    if name == "linear":
        assert confidence is None
    else:
        assert confidence is not None
        assert (confidence > 0.8).all()
        assert (confidence <= 1).all()
    again = TOPIC_BASELINES[name](training, classes, [f"{ECONOMY} اليوم", HEALTH, SPORT])
    assert predicted.tolist() == again[0].tolist()
    assert confidence is None or np.array_equal(confidence, again[1])


def test_all_baselines_are_known_by_name() -> None:
    assert list(TOPIC_BASELINES) == ["majority", "linear", "logistic", "fastText-like"]


def test_the_linear_model_is_the_same_each_time() -> None:
    generator = np.random.default_rng(0)
    texts = [" ".join(generator.choice(f"{SPORT} {ECONOMY} {HEALTH}".split(), 5)) for _ in range(200)]
    one, other = (linear_model().fit(texts, generator.integers(0, 3, 200) * 0 + np.arange(200) % 3) for _ in range(2))
    np.testing.assert_array_equal(one[-1].coef_, other[-1].coef_)


def test_embeddings_are_learned_in_batches_of_all_articles(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[int]] = []
    loss = torch.nn.functional.cross_entropy

    def spy(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        seen.append(targets.tolist())
        return loss(logits, targets)

    monkeypatch.setattr(torch.nn.functional, "cross_entropy", spy)
    bag_of_embeddings([f"كلمة{n}" for n in range(40)], list(range(40)), ["x"])
    assert [len(batch) for batch in seen] == [16, 16, 8] * EPOCHS
    epochs = [[*seen[start], *seen[start + 1], *seen[start + 2]] for start in range(0, 3 * EPOCHS, 3)]
    assert all(sorted(epoch) == list(range(40)) for epoch in epochs)
    assert epochs[0] != epochs[1]


def test_the_confidence_is_that_of_the_chosen_class() -> None:
    training, classes = ["كرة"] * 40, [1, 0, 0, 0] * 10
    for baseline in (logistic, bag_of_embeddings):
        predicted, confidence = baseline(training, classes, ["كرة"])
        assert predicted.tolist() == [0]
        assert confidence == pytest.approx([0.75], abs=0.1)


def test_order_of_words_counts_by_pairs() -> None:
    training, classes = ["بنك مركز كرة", "كرة مركز بنك"] * 60, [0, 1] * 60
    for name in ("linear", "logistic", "fastText-like"):
        predicted, _ = TOPIC_BASELINES[name](training, classes, ["كرة مركز بنك", "بنك مركز كرة"])
        assert predicted.tolist() == [1, 0]


def test_the_linear_model_ignores_spelling_and_words_of_a_single_text() -> None:
    model = linear_model().fit(["مدرسة أولى", "مدرسه اولى", "كلمة وحيدة"], [0, 1, 2])
    assert list(model[0].get_feature_names_out()) == ["اولي", "مدرسه", "مدرسه اولي"]


def test_words_and_pairs_of_neighbours_have_buckets() -> None:
    one, other, both = _buckets("كرة"), _buckets("بنك"), _buckets("كرة بنك")
    assert both[:2] == [*one, *other]
    assert len(both) == 3
    assert both[2] not in (*one, *other, _buckets("بنك كرة")[2])
    assert all(0 <= bucket < BUCKETS for bucket in both)
    assert _buckets("…") == [0]


def test_rows_of_buckets_are_joined_with_the_offset_of_each() -> None:
    bag = torch.nn.EmbeddingBag(5, 1, mode="mean")
    bag.weight.data = torch.arange(5.0)[:, None]
    found = bag(*_bag_input([[1, 3], [4], [0, 2, 4]]))
    np.testing.assert_allclose(found.detach().numpy()[:, 0], [2, 4, 2])
