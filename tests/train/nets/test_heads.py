"""The losses of the heads."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from wusum.train.data.mentions import UNMARKED
from wusum.train.nets.heads import span_loss, tag_loss, topic_loss


def test_the_topic_loss_is_the_log_of_the_summed_probability() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]))
    sets = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    assert topic_loss(logits, sets).item() == pytest.approx(-np.log(0.8), abs=1e-6)
    assert topic_loss(logits, torch.zeros(2, 3)).item() == 0


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
