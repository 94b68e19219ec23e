"""The losses of the heads."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from wusum.train.data.mentions import UNMARKED
from wusum.train.nets.heads import HeadsTrainer, span_loss, tag_loss, topic_loss

PROBABILITIES = torch.tensor([0.5, 0.3, 0.2])
EXACT, PARTIAL = torch.tensor([True]), torch.tensor([False])


def loss_of(topics: list[float], exact: torch.Tensor) -> float:
    return topic_loss(PROBABILITIES.logit()[None], torch.tensor([topics]), exact).item()


def test_where_all_topics_are_known_each_is_present_or_absent() -> None:
    assert loss_of([1, 0, 0], EXACT) == pytest.approx(-np.log(0.5) - np.log(0.7) - np.log(0.8), abs=1e-6)
    assert loss_of([1, 0, 1], EXACT) == pytest.approx(-np.log(0.5) - np.log(0.7) - np.log(0.2), abs=1e-6)


def test_of_a_set_an_article_has_any_and_others_count_less() -> None:
    assert loss_of([1, 1, 0], PARTIAL) == pytest.approx(-np.log(1 - 0.5 * 0.7) - 0.3 * np.log(0.8), abs=1e-6)
    assert loss_of([0, 0, 1], PARTIAL) == pytest.approx(-np.log(0.2) - 0.3 * (np.log(0.5) + np.log(0.7)), abs=1e-6)
    assert loss_of([1, 1, 1], PARTIAL) == pytest.approx(-np.log(1 - 0.5 * 0.7 * 0.8), abs=1e-6)


def test_the_topic_loss_is_the_mean_of_the_articles_that_have_topics() -> None:
    logits = torch.stack([PROBABILITIES.logit()] * 3)
    topics = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    exact = torch.tensor([False, False, True])
    mean = (loss_of([1, 1, 0], PARTIAL) + loss_of([1, 0, 0], EXACT)) / 2
    assert topic_loss(logits, topics, exact).item() == pytest.approx(mean, abs=1e-6)
    nothing = topic_loss(logits.requires_grad_(), torch.zeros(3, 3), exact)
    assert nothing.item() == 0
    nothing.backward()
    assert not logits.grad.any()


@pytest.mark.parametrize("exact", [EXACT, PARTIAL])
def test_a_topic_that_seems_impossible_is_learned_all_the_same(exact: torch.Tensor) -> None:
    logits = torch.tensor([[-50.0, -50.0]], requires_grad=True)
    loss = topic_loss(logits, torch.tensor([[1.0, 0.0]]), exact)
    assert loss.item() == pytest.approx(50, abs=0.1)
    loss.backward()
    torch.testing.assert_close(logits.grad, torch.tensor([[-1.0, 0.0]]))


@pytest.mark.parametrize("exact", [EXACT, PARTIAL])
@pytest.mark.parametrize("logit", [-500.0, 500.0])
def test_extreme_logits_have_a_finite_loss_and_gradient(logit: float, exact: torch.Tensor) -> None:
    logits = torch.tensor([[logit, -logit]], requires_grad=True)
    loss = topic_loss(logits, torch.tensor([[1.0, 0.0]]), exact)
    loss.backward()
    assert loss.isfinite()
    assert logits.grad.isfinite().all()


def test_a_trainer_adds_up_the_losses_by_their_weights() -> None:
    topic_logits, tag_logits, span_logits = PROBABILITIES.logit()[None], torch.zeros(1, 4), torch.zeros(1, 2, 6)
    batch = {
        "input_ids": torch.zeros(1, 2), "attention_mask": torch.ones(1, 2), "exact": EXACT,
        "topics": torch.tensor([[1.0, 0.0, 0.0]]), "tags": torch.tensor([[0.0, 1.0, 0.0, 0.0]]),
        "marks": torch.tensor([[[1, UNMARKED], [UNMARKED, UNMARKED]]]),
    }  # fmt: skip
    trainer: Any = SimpleNamespace(tag_weight=0.5, span_weight=2.0)
    loss = HeadsTrainer.compute_loss(trainer, lambda ids, mask: (topic_logits, tag_logits, span_logits), batch)
    assert loss.item() == pytest.approx(loss_of([1, 0, 0], EXACT) + 0.5 * np.log(4) + 2 * np.log(3), abs=1e-6)


def test_the_tag_loss_is_a_cross_entropy_over_the_given_tags() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.25, 0.25], [1 / 3, 1 / 3, 1 / 3]]))
    tags = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    assert tag_loss(logits, tags).item() == pytest.approx(-(np.log(0.5) + np.log(0.25)) / 2, abs=1e-6)
    assert tag_loss(logits, torch.zeros(2, 3)).item() == 0


def test_unmarked_tokens_have_no_part_in_the_loss_of_spans() -> None:
    logits = torch.zeros(1, 3, 6, requires_grad=True)
    marks = torch.full((1, 3, 2), UNMARKED)
    assert span_loss(logits, marks).item() == 0
    marks[0, 1, 0] = 2
    loss = span_loss(logits, marks)
    assert loss.item() == pytest.approx(np.log(3))
    loss.backward()
    assert logits.grad is not None
    assert logits.grad.nonzero().tolist() == [[0, 1, 0], [0, 1, 1], [0, 1, 2]]
